// Two composers make a supergraph of Heatgraph and a page catalogue; two gateways answer questions that cross it in both directions.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { composeServices as composeApollo } from "@apollo/composition";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { Trace } from "@apollo/usage-reporting-protobuf";
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";
import { composeServices as composeGuild } from "@theguild/federation-composition";
import { ask, authorization, heatgraph, serve, subgraphs } from "./subgraphs.mjs";

const { server: catalogue, services } = await subgraphs();
const supergraphs = { "@apollo/composition": composeApollo(services), "@theguild/federation-composition": composeGuild(services) };

for (const [composer, composed] of Object.entries(supergraphs)) {
  test(`${composer} composes`, () => {
    assert.deepEqual(composed.errors ?? [], []);
    assert.match(composed.supergraphSdl, /type Page/);
  });
}

class WithKey extends RemoteGraphQLDataSource {
  willSendRequest({ request }) {
    request.http.headers.set("authorization", authorization);
  }
}

const gateways = {};
const stops = [() => catalogue.stop()];

before(async () => {
  const supergraphSdl = supergraphs["@apollo/composition"].supergraphSdl;
  const gateway = new ApolloGateway({ supergraphSdl, buildService: ({ url }) => new WithKey({ url }) });
  const { server, url } = await serve({ gateway });
  gateways["@apollo/gateway"] = (query, variables) => ask(url, query, { variables });
  const hive = createGatewayRuntime({
    supergraph: supergraphs["@theguild/federation-composition"].supergraphSdl,
    propagateHeaders: { fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get("authorization") }) },
    maskedErrors: false,
    logging: false,
  });
  gateways["@graphql-hive/gateway-runtime"] = async (query, variables) => {
    const answer = await hive.fetch("http://hive/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", authorization },
      body: JSON.stringify({ query, variables }),
    });
    return answer.json();
  };
  stops.push(() => server.stop(), () => hive.dispose());
});

after(() => Promise.all(stops.map((stop) => stop())));

for (const gateway of ["@apollo/gateway", "@graphql-hive/gateway-runtime"]) {
  test(`${gateway}: from Heatgraph's pages to their owners`, async () => {
    const { data, errors } = await gateways[gateway](
      `query ($w: Window!) { site(siteId: "site_abc123") { name pages(window: $w) { nodes { key owner { name } totals(window: $w) { clicks } } } } }`,
      { w: { last: "-7d" } },
    );
    assert.equal(errors, undefined);
    assert.deepEqual(data.site, {
      name: "Shop",
      pages: {
        nodes: [
          { key: "https://example.com/pricing", owner: { name: "Ada" }, totals: { clicks: 2 } },
          { key: "https://example.com/contact", owner: null, totals: { clicks: 0 } },
        ],
      },
    });
  });

  test(`${gateway}: from owners to what Heatgraph knows of their pages`, async () => {
    const { data, errors } = await gateways[gateway](
      `{ owners { name pages { key path insights(window: { last: "-7d" }) { heatmap { total points { x y count } } } } } }`,
    );
    assert.ok((errors ?? []).every(({ path }) => path[3] === 2)); // one gateway says what cannot be known of the third, the other does not
    const [pricing, contact, unseen] = data.owners[0].pages;
    assert.deepEqual([pricing.path, pricing.insights.heatmap], ["/pricing", { total: 2, points: [{ x: 128, y: 160, count: 2 }] }]);
    assert.deepEqual([contact.path, contact.insights.heatmap], ["/contact", { total: 0, points: [] }]);
    assert.equal(unseen?.path ?? null, null);
  });

  test(`${gateway}: sites, elements and replays are found by their keys`, async () => {
    const { data, errors } = await gateways[gateway](`{ tickets { site { name } element { label page { owner { name } } } replay { clicks } } }`);
    assert.equal(errors, undefined);
    assert.deepEqual(data.tickets, [
      { site: { name: "Shop" }, element: { label: "button#signup", page: { owner: { name: "Ada" } } }, replay: { clicks: 2 } },
    ]);
  });

  test(`${gateway}: connections of both stand beside each other`, async () => {
    const { data, errors } = await gateways[gateway](
      `{ teams { pageInfo { hasNextPage endCursor } } sites { pageInfo { hasNextPage startCursor } } }`,
    );
    assert.equal(errors, undefined);
    assert.deepEqual(data.teams.pageInfo, { hasNextPage: true, endCursor: "Ada" });
    assert.equal(data.sites.pageInfo.hasNextPage, false);
  });
}

test("federated traces say how long each field took", async () => {
  const query = `{ site(siteId: "site_abc123") { title: name pages { nodes { key } } missing: page(key: "no url") { key } } }`;
  const { data, extensions } = await ask(heatgraph, query, { headers: { authorization, "apollo-federation-include-trace": "ftv1" } });
  const trace = Trace.decode(Buffer.from(extensions.ftv1, "base64"));
  assert.equal(Trace.verify(trace), null);
  const site = trace.root.child[0];
  assert.deepEqual([site.responseName, site.type, site.parentType], ["site", "Site", "Query"]);
  assert.ok(site.startTime <= site.endTime && site.endTime <= trace.durationNs);
  const [title, pages, missing] = site.child;
  assert.deepEqual([title.responseName, title.originalFieldName, title.type], ["title", "name", "String!"]);
  assert.deepEqual(pages.child[0].child.map(({ index }) => index), data.site.pages.nodes.map((_, index) => index));
  assert.deepEqual(missing.error[0].location.map(({ line }) => line), [1]);
  assert.equal(JSON.parse(missing.error[0].json).extensions.code, "BAD_USER_INPUT");
  assert.equal((await ask(heatgraph, query, { headers: { authorization } })).extensions?.ftv1, undefined);
});
