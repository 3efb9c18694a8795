// What is made from the SDL: Relay's artifacts, run by its runtime; TypeScript's types; and the lint rules for Relay's habits.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { codegen } from "@graphql-codegen/core";
import * as operationsPlugin from "@graphql-codegen/typescript-operations";
import graphqlEslint from "@graphql-eslint/eslint-plugin";
import { ESLint } from "eslint";
import { buildClientSchema, getIntrospectionQuery, parse, printSchema } from "graphql";
import relay from "relay-runtime";
import ts from "typescript";
import { ask, authorization, heatgraph } from "./subgraphs.mjs";

const sdl = readFileSync("../../schema/schema.graphql", "utf-8");
const folder = mkdtempSync(join(tmpdir(), "heatgraph-tools-"));
after(() => rmSync(folder, { recursive: true }));

const pages = `
  query pagesQuery($window: Window!, $after: String) {
    site(siteId: "site_abc123") { ...pages_site @arguments(window: $window, after: $after) }
  }
  fragment pages_site on Site @argumentDefinitions(window: { type: "Window" }, after: { type: "String" }, count: { type: "Int", defaultValue: 1 })
    @refetchable(queryName: "pagesPaginationQuery") {
    name
    pages(window: $window, first: $count, after: $after) @connection(key: "site_pages") {
      edges { node { key ...pages_insights @arguments(window: $window) } totals { clicks } }
    }
  }
  fragment pages_insights on Page @argumentDefinitions(window: { type: "Window" }) @refetchable(queryName: "pagesInsightsQuery") {
    insights(window: $window) { heatmap { points { x y count } } }
  }`;

test("Relay's compiler and runtime", async () => {
  for (const name of ["src", "made"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "src/pages.js"), `graphql\`${pages}\`;`);
  writeFileSync(
    join(folder, "relay.config.json"),
    JSON.stringify({ src: "src", schema: "schema.graphql", language: "javascript", artifactDirectory: "made", eagerEsModules: true }),
  );
  writeFileSync(join(folder, "schema.graphql"), sdl);
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  const compiler = createRequire(import.meta.url).resolve("relay-compiler/cli.js");
  execFileSync(process.execPath, [compiler, "relay.config.json"], { cwd: folder, stdio: "pipe" });
  const made = async (name) => (await import(join(folder, `made/${name}.graphql.js`))).default;

  const fetchFunction = ({ text }, variables) => ask(heatgraph, text, { variables, headers: { authorization } });
  const { Environment, fetchQuery, Network, RecordSource, Store } = relay;
  const environment = new Environment({ network: Network.create(fetchFunction), store: new Store(new RecordSource()) });
  const window = { last: "-7d" };
  const { site } = await fetchQuery(environment, await made("pagesQuery"), { window }).toPromise();
  assert.ok(site);
  const records = environment.getStore().getSource().toJSON();
  const of = (type) => Object.values(records).filter((record) => record.__typename === type);
  assert.deepEqual(of("Page").map(({ key }) => key), ["https://example.com/pricing"]);
  assert.deepEqual(of("HeatmapPoint").map(({ count }) => count), [2]);

  const [page] = of("Page");
  const { node } = await fetchQuery(environment, await made("pagesInsightsQuery"), { id: page.id, window }).toPromise();
  assert.ok(node);
  const { endCursor } = of("PageInfo")[0];
  await fetchQuery(environment, await made("pagesPaginationQuery"), { id: of("Site")[0].id, window, after: endCursor, count: 1 }).toPromise();
  assert.equal(Object.values(environment.getStore().getSource().toJSON()).filter(({ __typename }) => __typename === "Page").length, 2);
});

test("GraphQL Code Generator", async () => {
  const document = parse(`query Pricing($window: Window!) { site(siteId: "s") { pages(window: $window) { edges { node { key } totals { rageRate { value } } } } } }`);
  const types = await codegen({
    filename: "types.ts",
    schema: parse(sdl, { noLocation: true }),
    documents: [{ location: "pricing.graphql", document }],
    config: {},
    plugins: [{ operations: {} }],
    pluginMap: { operations: operationsPlugin },
  });
  const uses = `
    const variables: PricingQueryVariables = { window: { last: "-7d" } };
    declare const answer: PricingQuery;
    const value: number | null | undefined = answer.site?.pages?.edges[0].totals.rageRate.value;`;
  writeFileSync(join(folder, "types.ts"), types + uses);
  const program = ts.createProgram([join(folder, "types.ts")], { noEmit: true, strict: true, types: [], skipLibCheck: true });
  assert.deepEqual(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText), []);
});

test("the lint rules of Relay's connections", async () => {
  const rules = {
    "relay-connection-types": "error",
    // `nodes` and points are lists, too, and rage clicks have no id
    "relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false, withEdgeSuffix: true }],
    "relay-arguments": ["error", { includeBoth: false }], // forward only
    "relay-page-info": "error",
  };
  const schemaFile = join(folder, "client.graphql"); // as clients see it, without federation's directives
  writeFileSync(schemaFile, printSchema(buildClientSchema((await ask(heatgraph, getIntrospectionQuery())).data)));
  const eslint = new ESLint({
    cwd: folder,
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ["**/*.graphql"],
        plugins: { "@graphql-eslint": graphqlEslint },
        languageOptions: { parser: graphqlEslint.parser, parserOptions: { graphQLConfig: { schema: schemaFile } } },
        rules: Object.fromEntries(Object.entries(rules).map(([rule, level]) => [`@graphql-eslint/${rule}`, level])),
      },
    ],
  });
  const [{ messages }] = await eslint.lintFiles([schemaFile]);
  assert.deepEqual(messages.map(({ line, message }) => `${line}: ${message}`), []);
});
