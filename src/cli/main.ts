// `lvsj COMMAND`: the table of commands. Each is in a file of its own, loaded only when asked for:
// lvsj ipvsadm is run in loops by scripts and must start fast.

import { exit, UserError } from '../util/error.ts';

interface CommandEntry {
  /** One line of help. */
  summary: string;
  run: (args: string[]) => number | Promise<number>;
}

const commands: Record<string, CommandEntry> = {
  ipvsadm: {
    summary: 'services and gateways, in the words of ipvsadm (lvsj ipvsadm -h)',
    run: async (args) => (await import('./ipvsadm.ts')).runIpvsadmCommand(args),
  },
  check: {
    summary: 'what is wrong with a configuration file (/etc/lvsj/lvsj.yaml); needs no root',
    run: async (args) => (await import('./check.ts')).runCheck(args),
  },
  plan: {
    summary: 'what lvsj apply would change',
    run: async (args) => (await import('./apply.ts')).runPlan(args),
  },
  apply: {
    summary: 'make the director what the configuration says (/etc/lvsj/lvsj.yaml)',
    run: async (args) => (await import('./apply.ts')).runApply(args),
  },
  confirm: {
    summary: 'keep what lvsj apply --confirm has applied',
    run: async (args) => (await import('./apply.ts')).runConfirm(args),
  },
  run: {
    summary: 'the daemon: apply the configuration and keep to it',
    run: async (args) => (await import('./run.ts')).runRun(args),
  },
  reload: {
    summary: 'have the daemon apply its file again',
    run: async (args) => (await import('./run.ts')).runReload(args),
  },
  upgrade: {
    summary: "this lvsj's programs for a director that another version started; connections stay",
    run: async (args) => (await import('./upgrade.ts')).runUpgrade(args),
  },
  start: {
    summary: 'start the director of this network namespace with other than default bounds',
    run: async (args) => (await import('./director.ts')).runStart(args),
  },
  gateway: {
    summary:
      'what each gateway carries now and whether connections can go there; drain, enable one',
    run: async (args) => (await import('./gateway.ts')).runGateway(args),
  },
  service: {
    summary: 'the services, and what each of their gateways has of them',
    run: async (args) => (await import('./service.ts')).runService(args),
  },
  connection: {
    summary: 'which connections there are, and the gateway of each',
    run: async (args) => (await import('./connection.ts')).runConnection(args),
  },
  rule: {
    summary: 'the rules of the configuration, and what each has decided',
    run: async (args) => (await import('./rule.ts')).runRule(args),
  },
  explain: {
    summary: 'why a connection took its gateway, or which one it would take',
    run: async (args) => (await import('./explain.ts')).runExplain(args),
  },
  setting: {
    summary: "IPVS's sysctls, as far as the director has them",
    run: async (args) => (await import('./setting.ts')).runSetting(args),
  },
  status: {
    summary: 'the director, its gateways, and how packets left each program',
    run: async (args) => (await import('./status.ts')).runStatus(args),
  },
  metrics: {
    summary: 'what Prometheus reads',
    run: async (args) => (await import('./metrics.ts')).runMetrics(args),
  },
  doctor: {
    summary: 'what is wrong here, and what to do about it',
    run: async (args) => (await import('./doctor.ts')).runDoctor(args),
  },
  stop: {
    summary: 'end the director of this network namespace and leave no trace',
    run: async (args) => (await import('./director.ts')).runStop(args),
  },
  lab: {
    summary: 'a LAN, a director, ISPs and an internet of network namespaces to try things in',
    run: async (args) => (await import('./lab.ts')).runLab(args),
  },
};

/** What lvsj starts of itself. */
const hidden: Record<string, CommandEntry> = {
  'roll-back': {
    summary: '',
    run: async () => (await import('./apply.ts')).runRollBack(),
  },
};

function help(): string {
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(12)}${summary}`,
  );
  return [
    'lvsj shares outgoing traffic over several gateways, in this network namespace.',
    '',
    'Usage: lvsj COMMAND [ARGUMENTS]; lvsj COMMAND --help says more.',
    '',
    ...lines,
    '',
  ].join('\n');
}

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === '-h' || name === '--help' || name === 'help') {
    process.stdout.write(help());
    return exit.ok;
  }
  const command = commands[name] ?? hidden[name];
  if (!command)
    throw new UserError(`lvsj: there is no command "${name}"; lvsj --help lists them`, exit.usage);
  return await command.run(args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.status;
}
