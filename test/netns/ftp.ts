// As much of FTP as makes a conntrack helper expect the data connection. Run as
//   ftp.ts server                    on the internet host, port 21
//   ftp.ts ADDRESS FROM active|passive on the LAN; prints the addresses that the server saw.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** `10,0,0,11,4,1`: an address and a port as FTP writes them. */
const toWords = (address: string, port: number) =>
  [...address.split('.'), port >> 8, port & 0xff].join(',');

function fromWords(line: string) {
  const numbers = /(\d+,){5}\d+/.exec(line)?.[0].split(',').map(Number) ?? [];
  const [high = 0, low = 0] = numbers.slice(4);
  return { host: numbers.slice(0, 4).join('.'), port: high * 256 + low };
}

/** The other side's IPv4 address, as a dual-stack socket or a plain one has it. */
const peerOf = (socket: Socket) => (socket.remoteAddress ?? '').replace('::ffff:', '');

/** Answers each command; the data is the address from which the data connection came or went to. */
async function serve(control: Socket): Promise<void> {
  const local = (control.localAddress ?? '').replace('::ffff:', '');
  const say = (line: string) => control.write(`${line}\r\n`);
  say('220 ready');
  for await (const line of createInterface({ input: control })) {
    if (line.startsWith('PORT')) {
      say('200 ok');
      const data = connect({ ...fromWords(line), localAddress: local, localPort: 20 });
      await once(data, 'connect');
      data.end(peerOf(data));
    } else if (line.startsWith('PASV')) {
      const listener = createServer((data) => data.end(peerOf(data)));
      await once(listener.listen(0, local), 'listening');
      const { port } = listener.address() as { port: number };
      say(`227 Entering Passive Mode (${toWords(local, port)}).`);
      await once(listener, 'connection');
      listener.close();
    }
    say(`226 ${peerOf(control)}`);
  }
}

/** What the server saw: the address of the control connection, and of the data connection. */
async function fetchBy(mode: string, host: string, localAddress: string): Promise<string[]> {
  const control = connect({ host, port: 21, localAddress });
  const lines = createInterface({ input: control })[Symbol.asyncIterator]();
  const until = async (code: string): Promise<string> => {
    for (;;) {
      const line = String((await lines.next()).value);
      if (line.startsWith(code)) return line;
    }
  };
  await until('220');
  // The helper reads a line only once it has seen another one before it.
  control.write('NOOP\r\n');
  await until('226');
  let data: Promise<string>;
  if (mode === 'active') {
    const listener = createServer();
    await once(listener.listen(0, localAddress), 'listening');
    const { port } = listener.address() as { port: number };
    control.write(`PORT ${toWords(localAddress, port)}\r\n`);
    const [socket] = (await once(listener, 'connection')) as [Socket];
    data = text(socket);
    listener.close();
  } else {
    control.write('PASV\r\n');
    data = text(connect({ ...fromWords(await until('227')), localAddress }));
  }
  const seenData = await data;
  const seenControl = (await until('226')).slice(4);
  control.end();
  return [seenControl, seenData];
}

const [host = '', localAddress = '', mode = ''] = process.argv.slice(2);
if (host === 'server') {
  const server = createServer((control) => {
    // Its client went away.
    serve(control).catch(() => {});
  });
  await once(server.listen(21), 'listening');
  process.stdout.write('ready\n');
} else {
  // Whoever waits for a data connection that is lost shall not wait for long.
  setTimeout(() => process.exit(1), 3000).unref();
  process.stdout.write(JSON.stringify(await fetchBy(mode, host, localAddress)));
}
