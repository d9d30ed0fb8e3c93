"use strict";
// Shows of the page what its address asks for: each field of the form is one of the names behind the `#`.
const form = document.getElementById("filter");
const fields = form ? [...form.elements].filter((each) => each.name).map((each) => each.name) : [];

function wanted() {
  const asked = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(fields.map((name) => [name, asked.get(name) || ""]));
}

function show() {
  const asked = wanted();
  const text = asked.text.toLowerCase();
  const fits = (each) =>
    fields.every((name) => name === "text" || !asked[name] || each.dataset[name].split("\n").includes(asked[name])) &&
    each.textContent.toLowerCase().includes(text);
  const articles = [...document.querySelectorAll("article")];
  for (const each of [...articles, ...document.querySelectorAll("tr[data-rule]")]) each.hidden = !fits(each);
  for (const name of fields) form.elements[name].value = asked[name];
  document.getElementById("shown").textContent = `${articles.filter((each) => !each.hidden).length} of ${articles.length} shown`;
}

function ask() {
  const asked = new URLSearchParams();
  for (const name of fields) if (form.elements[name].value) asked.set(name, form.elements[name].value);
  history.replaceState(null, "", `#${asked}`);
  show();
}

if (form) {
  form.addEventListener("input", ask);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => { event.preventDefault(); history.replaceState(null, "", "#"); show(); });
  window.addEventListener("hashchange", show);
  show();
}
