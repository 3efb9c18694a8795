// The subgraphs of a small supergraph: Heatgraph, which runs already, and a page catalogue that knows who owns a page, with Relay's
// connections of its own.
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";

export const heatgraph = process.env.HEATGRAPH;
export const authorization = `Bearer ${process.env.TOKEN}`;
const siteId = "site_abc123";
const pageKey = "https://example.com/pricing";

const catalogue = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
  type Query { owners: [Owner!]!  tickets: [Ticket!]!  teams(first: Int): TeamConnection! }
  type TeamConnection { nodes: [Owner!]!  pageInfo: PageInfo! }
  type PageInfo @shareable { hasNextPage: Boolean!  hasPreviousPage: Boolean!  startCursor: String  endCursor: String }
  type Owner @key(fields: "name") { name: String!  pages: [Page]! }
  type Ticket { site: Site  element: Element  replay: Replay }
  type Page @key(fields: "siteId key") { siteId: String!  key: String!  owner: Owner }
  type Site @key(fields: "siteId", resolvable: false) { siteId: String! }
  type Element @key(fields: "siteId pageKey selector", resolvable: false) { siteId: String!  pageKey: String!  selector: String! }
  type Replay @key(fields: "siteId sessionId", resolvable: false) { siteId: String!  sessionId: String! }
`);

const resolvers = {
  Query: {
    owners: () => [{ name: "Ada" }],
    teams: () => ({ nodes: [{ name: "Ada" }], pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: "Ada", endCursor: "Ada" } }),
    tickets: () => [{ site: { siteId }, element: { siteId, pageKey, selector: "#signup" }, replay: { siteId, sessionId: "s1" } }],
  },
  Owner: {
    __resolveReference: ({ name }) => ({ name }),
    pages: () => ["pricing", "contact", "never-seen"].map((path) => ({ siteId, key: `https://example.com/${path}` })),
  },
  Page: {
    __resolveReference: ({ siteId, key }) => ({ siteId, key }),
    owner: ({ key }) => (key === pageKey ? { name: "Ada" } : null),
  },
};

export async function ask(url, query, { variables, headers } = {}) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

// The server of a schema or gateway on a free port, and its address.
export async function serve(options) {
  const server = new ApolloServer(options);
  const { url } = await startStandaloneServer(server, { listen: { port: 0, host: "127.0.0.1" } });
  return { server, url };
}

// Both subgraphs as composers want them, and the server of ours.
export async function subgraphs() {
  const { server, url } = await serve({ schema: buildSubgraphSchema({ typeDefs: catalogue, resolvers }) });
  const { data } = await ask(heatgraph, "{ _service { sdl } }");
  const services = [
    { name: "heatgraph", url: heatgraph, typeDefs: parse(data._service.sdl) },
    { name: "catalogue", url, typeDefs: catalogue },
  ];
  return { server, services };
}
