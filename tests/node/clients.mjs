// Clients as they come out of the registry: each asks the same question in its own way and gets the same answer.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { cacheExchange, Client, fetchExchange } from "@urql/core";
import { GraphQLClient } from "graphql-request";

const uri = process.env.HEATGRAPH;
const headers = { authorization: `Bearer ${process.env.TOKEN}` };
const question = `
  query Pricing($window: Window!) {
    site(siteId: "site_abc123") { id pages(window: $window, first: 1) { edges { cursor node { id key } totals { clicks } } pageInfo { hasNextPage } } }
  }`;
const variables = { window: { last: "-7d" } };
const wrong = `{ site(siteId: "site_abc123") { name page(key: "no url") { key } } }`;

function isAnswer({ site }) {
  const [edge] = site.pages.edges;
  assert.deepEqual([edge.node.key, edge.totals.clicks, site.pages.pageInfo.hasNextPage], ["https://example.com/pricing", 2, true]);
}

function isError(error) {
  assert.equal(error.extensions.code, "BAD_USER_INPUT");
  assert.deepEqual(error.path, ["site", "page"]);
}

test("Apollo Client", async () => {
  const client = new ApolloClient({ link: new HttpLink({ uri, headers }), cache: new InMemoryCache() });
  isAnswer((await client.query({ query: gql(question), variables })).data);
  isAnswer(client.readQuery({ query: gql(question), variables }));
  const { data, error } = await client.query({ query: gql(wrong), errorPolicy: "all" });
  isError(error.errors[0]);
  assert.equal(data.site.name, "Shop");
  client.stop();
});

test("Apollo Client with persisted queries", async () => {
  const asked = [];
  const recorded = (url, options) => {
    asked.push([options.method, (options.body ?? url).includes("site_abc123")]);
    return fetch(url, options);
  };
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  for (let round = 0; round < 2; round++) {
    const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: true });
    const client = new ApolloClient({ link: persisted.concat(new HttpLink({ uri, headers, fetch: recorded })), cache: new InMemoryCache() });
    isAnswer((await client.query({ query: gql(question), variables })).data);
    client.stop();
  }
  const hash = ["GET", false];
  assert.deepEqual(asked, [hash, ["POST", true], hash]); // the text travels once
});

test("urql", async () => {
  const client = new Client({ url: uri, exchanges: [cacheExchange, fetchExchange], fetchOptions: { headers }, preferGetMethod: false });
  const { data, error } = await client.query(question, variables).toPromise();
  assert.equal(error, undefined);
  isAnswer(data);
  isError((await client.query(wrong, {}).toPromise()).error.graphQLErrors[0]);
});

test("urql, by GET", async () => {
  const client = new Client({ url: uri, exchanges: [fetchExchange], fetchOptions: { headers }, preferGetMethod: "force" });
  isAnswer((await client.query(question, variables).toPromise()).data);
});

test("graphql-request", async () => {
  const client = new GraphQLClient(uri, { headers });
  isAnswer(await client.request(question, variables));
  await assert.rejects(client.request(wrong), (error) => {
    isError(error.response.errors[0]);
    return true;
  });
});
