// Microsoft's own parser of Kusto queries, asked what is wrong with each: `node analyze.js FOLDER < QUESTIONS`.
// FOLDER is that of the npm package @kusto/language-service-next; QUESTIONS is {"tables": {name: schema}, "queries":
// {name: text}}. Says {name: [what is wrong]} and, of each query without fault, its columns.
"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { runInThisContext } = require("node:vm");

for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  runInThisContext(readFileSync(join(process.argv[2], file), "utf8"), { filename: file });
}
const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;

const given = JSON.parse(readFileSync(0, "utf8"));
const list = (found) => globalThis.Bridge.toArray(found);
const tables = Object.entries(given.tables).map(
  ([name, schema]) => new Symbols.TableSymbol.$ctor7(name, schema, null)
);
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1("logs", tables, false));

const told = {};
for (const [name, text] of Object.entries(given.queries)) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const wrong = list(code.GetDiagnostics()).map((each) => `${each.Start}: ${each.Message}`);
  const columns = code.ResultType && code.ResultType.Columns ? list(code.ResultType.Columns).map((one) => one.Name) : [];
  told[name] = { wrong, columns };
}
process.stdout.write(JSON.stringify(told));
