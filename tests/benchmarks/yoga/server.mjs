// A graphql-yoga server with @clickhouse/client that does the gateway's work the usual way: a resolver a field, an object a point.
//
//   PORT, WORKERS, TOKEN_HASH (HMAC-SHA256 of the token by SECRET), CLICKHOUSE_URL, CLICKHOUSE_DATABASE, …_USER, …_PASSWORD, STATEMENTS
//
// STATEMENTS is a file: the variables of a request as JSON -> the statements the gateway sends for it, site, page and map in turn.
import cluster from 'node:cluster'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

import { createClient } from '@clickhouse/client'
import { createGraphQLError, createSchema, createYoga } from 'graphql-yoga'

const env = process.env

const typeDefs = /* GraphQL */ `
  type Query { site(siteId: String!): Site }
  type Site { page(key: String!): Page }
  type Page { insights(window: Window): Insights }
  type Insights { heatmap(first: Int = 500): PointHeatmap }
  type PointHeatmap { total: Int! maxCount: Int! points: [HeatmapPoint!]! }
  type HeatmapPoint { x: Float! y: Int! count: Int! share: Float! }
  input Window { between: DateRange }
  input DateRange { from: String! to: String! }
`

function serve() {
  const statements = JSON.parse(readFileSync(env.STATEMENTS, 'utf8'))
  const clickhouse = createClient({
    url: env.CLICKHOUSE_URL,
    database: env.CLICKHOUSE_DATABASE,
    username: env.CLICKHOUSE_USER,
    password: env.CLICKHOUSE_PASSWORD,
    clickhouse_settings: statements.settings,
  })
  const expected = Buffer.from(env.TOKEN_HASH, 'hex')

  function authenticate(request) {
    const token = request.headers.get('authorization')?.replace('Bearer ', '') ?? ''
    const found = createHmac('sha256', env.SECRET).update(token).digest()
    if (!timingSafeEqual(found, expected)) throw createGraphQLError('No such key.', { extensions: { code: 'UNAUTHENTICATED' } })
  }

  async function rows({ sql, params }) {
    const result = await clickhouse.query({ query: sql, query_params: params, format: 'JSONEachRow' })
    return result.json()
  }

  const resolvers = {
    Query: {
      async site(_, __, context, info) {
        const [site, ...others] = statements.of[JSON.stringify(info.variableValues)]
        return (await rows(site)).length ? { others } : null
      },
    },
    Site: {
      async page({ others: [page, map] }) {
        return (await rows(page)).length ? { map } : null
      },
    },
    Page: { insights: ({ map }) => ({ map }) },
    Insights: {
      async heatmap({ map }) {
        const [row] = await rows(map)
        return { total: row.total, maxCount: row.max_count, points: JSON.parse(row.points_points) }
      },
    },
  }

  const yoga = createYoga({
    schema: createSchema({ typeDefs, resolvers }),
    context: ({ request }) => authenticate(request),
    graphiql: false,
    landingPage: false,
    logging: 'error',
  })
  createServer(yoga).listen(Number(env.PORT), '127.0.0.1')
}

if (cluster.isPrimary && Number(env.WORKERS) > 1) {
  for (let worker = 0; worker < Number(env.WORKERS); worker++) cluster.fork()
} else {
  serve()
}
