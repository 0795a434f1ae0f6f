// A captive portal: whatever is asked, the answer is to go and log in. A program of its own
// (`node src/lab/portal.ts PORT`): writes `ready` once it listens, and lives until it is killed.

import { createServer } from 'node:http';

const server = createServer((_, response) => {
  const headers = { location: 'http://portal.example/login', connection: 'close' };
  response.writeHead(302, headers).end('log in first\n');
});
server.listen({ host: '::', port: Number(process.argv[2]), backlog: 4096 }, () =>
  process.stdout.write('ready\n'),
);
