// Apollo's federation subgraph compatibility suite: its own test files, in a supergraph of its own subgraphs and our 'Products'.
// Its Rover and Router are binaries from elsewhere; Apollo's composer and gateway for Node stand in for them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { composeServices } from "@apollo/composition";
import { ApolloGateway } from "@apollo/gateway";
import { expect } from "expect";
import { parse } from "graphql";
import { ask, serve } from "./subgraphs.mjs";

const require = createRequire(import.meta.url);
const suite = dirname(require.resolve("@apollo/federation-subgraph-compatibility-tests"));
const products = process.env.PRODUCTS_URL;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let router;

before(async () => {
  const { data } = await ask(products, "{ _service { sdl } }");
  const services = [{ name: "products", url: products, typeDefs: parse(data._service.sdl) }];
  for (const name of ["users", "inventory"]) {
    const port = await freePort();
    process.env[`${name.toUpperCase()}_PORT`] = port;
    const folder = join(suite, "subgraphs", name);
    await import(join(folder, "index.js"));
    services.push({ name, url: `http://localhost:${port}/`, typeDefs: parse(readFileSync(join(folder, `${name}.graphql`), "utf-8")) });
  }
  const { supergraphSdl, errors } = composeServices(services);
  if (errors) throw new AggregateError(errors);
  router = await serve({ gateway: new ApolloGateway({ supergraphSdl }) });
  require(join(suite, "utils", "client.js")).ROUTER_URL = router.url;
});

after(async () => {
  await router.server.stop();
  setImmediate(() => process.exit()); // the suite's subgraphs never stop
});

// What the suite's files define, by the check they belong to.
const checks = new Map();
let within = null;
globalThis.expect = expect;
globalThis.describe = (name, define) => {
  within = name;
  define();
  within = null;
};
globalThis.it = globalThis.test = (name, run) => checks.set(within ?? name, [...(checks.get(within ?? name) ?? []), run]);
for (const file of readdirSync(join(suite, "tests")).filter((name) => name.endsWith(".test.js"))) require(join(suite, "tests", file));

for (const { assertion } of require(join(suite, "testRunner.js")).TESTS) {
  test(assertion, async () => {
    assert.ok(checks.has(assertion));
    for (const run of checks.get(assertion)) await run();
  });
}
