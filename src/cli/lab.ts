// lvsj lab up|down|list|exec|demo.

import { Command } from 'commander';
import { requireRoot } from '../kernel/director.ts';
import { labDown, labExec, labList, labUp } from '../lab/lab.ts';
import { planLab } from '../lab/topology.ts';
import { exit, UserError } from '../util/error.ts';
import { parse } from './parse.ts';

interface LabOptions {
  name: string;
  isps?: string;
  dhcp?: string[];
  ppp?: string[];
}

const named = (command: Command): Command => command.option('--name <name>', 'which lab', 'lab');

function defineUpAndDown(program: Command): void {
  named(program.command('up'))
    .description('Make a lab.')
    .option('--isps <number>', 'how many ISP routers', '2')
    .option('--dhcp <numbers...>', 'ISPs that give the address by DHCP and advertisements')
    .option('--ppp <numbers...>', 'ISPs behind a point-to-point link')
    .action(async (_options, command: Command) => {
      const { name, isps, dhcp, ppp } = command.opts<LabOptions>();
      const numbers = { isps: Number(isps), dhcp: dhcp?.map(Number), ppp: ppp?.map(Number) };
      await labUp(planLab({ name, ...numbers }));
    });
  named(program.command('down'))
    .description('Take it away.')
    .action(async (_options, command: Command) => {
      const { name } = command.opts<LabOptions>();
      if (!(await labDown(name))) throw new UserError(`there is no lab "${name}"`, exit.list);
    });
  program
    .command('list')
    .description('List the labs of this machine.')
    .action(() => {
      for (const { name, hosts } of labList())
        process.stdout.write(`${name}  ${hosts.join(' ')}\n`);
    });
}

/** Answers with the status to exit with. */
export async function runLab(args: string[]): Promise<number> {
  let status: number = exit.ok;
  const program = new Command('lvsj lab')
    .description('A LAN, a director, ISPs and an internet of network namespaces.')
    .enablePositionalOptions();
  defineUpAndDown(program);
  named(program.command('exec'))
    .description('Run a command on one of its hosts: lan, director, isp1 …, internet.')
    .argument('<host>')
    .argument('<command...>')
    .passThroughOptions()
    .action(async (host: string, words: string[], _options, command: Command) => {
      status = await labExec(command.opts<LabOptions>().name, host, words);
    });
  named(program.command('demo'))
    .description('Show the director at work, with figures; exit 1 if any is not as it should be.')
    .action(async (_options, command: Command) => {
      const { runDemo } = await import('../lab/demo.ts');
      status = await runDemo(command.opts<LabOptions>().name);
    });
  requireRootUnlessHelp(args);
  await parse(program, args);
  return status;
}

function requireRootUnlessHelp(args: string[]): void {
  const wanted = args.length > 0 && !args.includes('--help') && !args.includes('-h');
  if (wanted) requireRoot();
}
