// lvsj explain: why a connection took its gateway, or which one it would take.

import { Command } from 'commander';
import { explain } from '../explain/explain.ts';
import { explainSource } from '../kernel/explain.ts';
import { exit } from '../util/error.ts';
import { defaultPorts, parseQuestion, type QuestionOptions } from './explain-question.ts';
import { formatExplanation } from './explain-text.ts';
import { parse } from './parse.ts';
import { printJson } from './print.ts';
import { directorToRead } from './running.ts';

interface Options extends QuestionOptions {
  json?: boolean;
}

export async function runExplain(args: string[]): Promise<number> {
  const command = new Command('lvsj explain')
    .description(
      'Say why a connection took its gateway, or which one it would take; changes nothing.',
    )
    .argument('<src>', 'the client, in the LAN')
    .argument('<dst>', 'the server')
    .argument('[proto]', 'tcp, udp, sctp, icmp … or a number: tcp if not said')
    .argument('[sport]', `${defaultPorts.client} if not said; ICMP: the identifier of an echo`)
    .argument('[dport]', `${defaultPorts.server} if not said`)
    .option('--link <name>', 'the link that it comes in by; else the one that the main table tells')
    .option('--dscp <number>', '0 to 63: 0 if not said')
    .option('--fwmark <number>', 'as if it had this mark, whatever the rules say')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const options = command.opts<Options>();
  const question = parseQuestion(command.args, options);
  using director = directorToRead();
  const explanation = explain(question, explainSource(director));
  if (options.json) printJson(explanation);
  else process.stdout.write(formatExplanation(explanation));
  return exit.ok;
}
