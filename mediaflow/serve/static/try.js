"use strict";

const EXAMPLE = `{
  search(clauses: [{dialogue: {text: "hello"}}], first: 5) {
    total
    hits {
      title
      startMs
      endMs
      score
      sources { algorithm text }
      thumbnailUrl
      previewUrl
    }
    nextCursor
  }
}`;

const SCHEMA = `{
  __schema { types { name kind description
    fields { name description args { name type { ...T } } type { ...T } }
    inputFields { name description type { ...T } }
    enumValues { name description }
  } }
}
fragment T on __Type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }`;

const element = (id) => document.getElementById(id);

async function ask(query, variables) {
  const key = element("key").value.trim();
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

function hits(value) {
  if (!value || typeof value !== "object") return [];
  const found = Object.values(value).flatMap(hits);
  return value.thumbnailUrl ? [value, ...found] : found;
}

function picture(hit) {
  const image = document.createElement("img");
  image.src = hit.thumbnailUrl;
  image.alt = image.title = hit.title || hit.titleId || "";
  if (!hit.previewUrl) return image;
  const link = document.createElement("a");
  link.href = hit.previewUrl;
  link.append(image);
  return link;
}

async function run() {
  const answer = element("answer");
  answer.textContent = "…";
  try {
    const variables = JSON.parse(element("variables").value || "{}");
    const body = await ask(element("query").value, variables);
    element("pictures").replaceChildren(...hits(body.data).map(picture));
    answer.textContent = JSON.stringify(body, null, 2);
  } catch (error) {
    answer.textContent = String(error);
  }
}

function typeName(type) {
  if (type.kind === "NON_NULL") return `${typeName(type.ofType)}!`;
  if (type.kind === "LIST") return `[${typeName(type.ofType)}]`;
  return type.name;
}

function made(tag, text, className) {
  const one = document.createElement(tag);
  one.textContent = text;
  if (className) one.className = className;
  return one;
}

function line(field) {
  const given = (field.args || []).map((one) => `${one.name}: ${typeName(one.type)}`).join(", ");
  const paragraph = document.createElement("p");
  paragraph.append(made("code", field.name + (given && `(${given})`) + (field.type ? `: ${typeName(field.type)}` : "")));
  if (field.description) paragraph.append(made("div", field.description, "said"));
  return paragraph;
}

function show(types) {
  const list = element("schema");
  list.replaceChildren();
  for (const type of types) {
    const members = type.fields || type.inputFields || type.enumValues || [];
    if (type.name.startsWith("__") || !members.length) continue;
    const one = document.createElement("details");
    one.open = type.name === "Query";
    one.append(made("summary", type.name));
    if (type.description) one.append(made("p", type.description, "said"));
    one.append(...members.map(line));
    list.append(one);
  }
}

function find() {
  const wanted = element("find").value.toLowerCase();
  for (const one of element("schema").children) {
    one.hidden = !one.textContent.toLowerCase().includes(wanted);
    one.open = Boolean(wanted) && !one.hidden;
  }
}

async function start() {
  element("query").value = EXAMPLE;
  element("run").addEventListener("click", run);
  element("find").addEventListener("input", find);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
  });
  element("key").addEventListener("change", () => enter().catch(failed));
  await enter();
}

async function enter() {
  const { data, errors } = await ask("{ status { ready snapshot why } }");
  if (!data) {
    element("status").textContent = errors[0].message;
    return;
  }
  element("status").textContent = data.status.ready ? `Answers from snapshot ${data.status.snapshot}` : data.status.why;
  show((await ask(SCHEMA)).data.__schema.types);
}

function failed(error) {
  element("status").textContent = String(error);
}

start().catch(failed);
