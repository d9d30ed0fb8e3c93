/** The client's side of the conversation, without an editor: what `launch` says is started, asked and answered. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = require("vscode-languageserver-protocol/node");
const { launch, TEXTS } = require("../out/launch.js");
const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf-8"));

const TEXT = 'import torch\n\nw = torch.zeros(2).cuda()\nprint(w)\n';
const PATH = process.env.TORCHLINT ?? "torchlint";

/** What is said to a server with these settings, and what it answers. */
async function conversation(settings, talk, folder) {
  const { command, args, initializationOptions } = launch(settings);
  const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const connection = createProtocolConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  connection.listen();
  const workspaceFolders = [{ uri: pathToFileURL(folder).href, name: "project" }];
  const initialized = await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: workspaceFolders[0].uri,
    capabilities: {
      textDocument: { publishDiagnostics: { relatedInformation: true } },
      notebookDocument: { synchronization: { dynamicRegistration: false } },
    },
    workspaceFolders,
    initializationOptions,
  });
  await connection.sendNotification("initialized", {});
  const result = await talk(connection);
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  const status = await ended;
  connection.dispose();
  return { initialized, status, ...result };
}

/** What is published for this version of a text. */
function published(connection, uri, version) {
  return new Promise((resolve) =>
    connection.onNotification("textDocument/publishDiagnostics", (params) =>
      params.uri === uri && params.version === version ? resolve(params.diagnostics) : undefined,
    ),
  );
}

/** The actions on a row of a text. */
async function offered(connection, uri, line, diagnostics) {
  const range = { start: { line, character: 0 }, end: { line, character: 24 } };
  return connection.sendRequest("textDocument/codeAction", { textDocument: { uri }, range, context: { diagnostics } });
}

async function withFile(folder, connection) {
  const uri = pathToFileURL(join(folder, "train.py")).href;
  const found = published(connection, uri, 1);
  await connection.sendNotification("textDocument/didOpen", { textDocument: { uri, languageId: "python", version: 1, text: TEXT } });
  const diagnostics = await found;
  return { diagnostics, actions: await offered(connection, uri, 2, diagnostics) };
}

/** A notebook of two cells, the second of which is typed into as VS Code tells of it: by the characters that change. */
async function withNotebook(folder, connection) {
  const path = join(folder, "train.ipynb");
  const uri = pathToFileURL(path).href;
  const cells = ["#W0sZmlsZQ%3D%3D", "#W1sZmlsZQ%3D%3D"].map((fragment) => `${pathToFileURL(path).href.replace("file:", "vscode-notebook-cell:")}${fragment}`);
  const texts = ["%matplotlib inline\nimport torch", "w = torch.zeros(2)"];
  const found = published(connection, cells[1], 2);
  await connection.sendNotification("notebookDocument/didOpen", {
    notebookDocument: { uri, notebookType: "jupyter-notebook", version: 1, cells: cells.map((document) => ({ kind: 2, document })) },
    cellTextDocuments: cells.map((cell, number) => ({ uri: cell, languageId: "python", version: 1, text: texts[number] })),
  });
  const place = { line: 0, character: texts[1].length };
  await connection.sendNotification("notebookDocument/didChange", {
    notebookDocument: { uri, version: 2 },
    change: {
      cells: {
        textContent: [
          { document: { uri: cells[1], version: 2 }, changes: [{ range: { start: place, end: place }, rangeLength: 0, text: ".cuda()\nprint(w)" }] },
        ],
      },
    },
  });
  const diagnostics = await found;
  return { cell: cells[1], diagnostics, actions: await offered(connection, cells[1], 0, diagnostics) };
}

async function project(run) {
  const folder = await mkdtemp(join(tmpdir(), "torchlint-"));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("findings and fixes come from the server that the settings name", async () => {
  const { initialized, diagnostics, actions, status } = await project((folder) =>
    conversation({ path: PATH, configuration: "" }, (connection) => withFile(folder, connection), folder),
  );

  assert.equal(initialized.serverInfo.name, "torchlint");
  assert.deepEqual(diagnostics.map((each) => each.code), ["TL401"]);
  assert.ok(actions.some((each) => each.kind === "quickfix" && JSON.stringify(each.edit).includes("device")));
  assert.ok(actions.some((each) => each.kind === "source.fixAll.torchlint"));
  assert.equal(status, 0);
});

test("a notebook is told of as the server asks for it, and its findings are the cell's", async () => {
  const { initialized, cell, diagnostics, actions } = await project((folder) =>
    conversation({ path: PATH, configuration: "" }, (connection) => withNotebook(folder, connection), folder),
  );
  const [selector] = initialized.capabilities.notebookDocumentSync.notebookSelector;

  assert.ok(["*", "jupyter-notebook"].includes(selector.notebook));
  assert.deepEqual(selector.cells, [{ language: "python" }]);
  assert.ok(TEXTS.some((each) => each.scheme === "vscode-notebook-cell" && each.language === "python"));
  assert.deepEqual(diagnostics.map((each) => each.code), ["TL401"]);
  const [all] = actions.filter((each) => each.kind === "notebook.source.fixAll.torchlint");
  assert.deepEqual(all.edit.documentChanges.map((each) => each.textDocument), [{ uri: cell, version: 2 }]);
});

test("the configuration that the settings name holds", async () => {
  const { diagnostics } = await project(async (folder) => {
    const configuration = join(folder, "other.toml");
    await writeFile(configuration, 'ignore = ["TL401"]\n');
    return conversation({ path: PATH, configuration }, (connection) => withFile(folder, connection), folder);
  });

  assert.deepEqual(diagnostics, []);
});

test("defaults are those that the manifest gives", () => {
  const { "torchlint.path": path, "torchlint.configuration": configuration } = manifest.contributes.configuration.properties;

  assert.deepEqual(launch({ path: path.default, configuration: configuration.default }), {
    command: "torchlint",
    args: ["server"],
    initializationOptions: {},
  });
  assert.equal(launch({ path: " ", configuration: " a.toml " }).command, "torchlint");
  assert.deepEqual(launch({ path: "/opt/torchlint", configuration: " a.toml " }).initializationOptions, { configuration: "a.toml" });
});
