// The audits of the GraphQL over HTTP specification.
import { test } from "node:test";
import { serverAudits } from "graphql-http";

const audits = serverAudits({
  url: process.env.HEATGRAPH,
  fetchFn: (url, init = {}) => fetch(url, { ...init, headers: { authorization: `Bearer ${process.env.TOKEN}`, ...init.headers } }),
});
for (const audit of audits) {
  test(`${audit.id}: ${audit.name}`, async () => {
    const result = await audit.fn();
    if (result.status !== "ok") throw new Error(`${result.status}: ${result.reason}`);
  });
}
