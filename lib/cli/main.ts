#!/usr/bin/env node
import { Command, Option } from 'commander';
import { packageName, version } from '../version';
import { benchmark } from './bench';
import { buildFromSource } from './build';
import { doctor } from './doctor';
import { inspect } from './inspect';

const program = new Command()
  .name('efl')
  .description(`Tools of ${packageName}; where it is not installed: npx ${packageName}`)
  .version(version, '-v, --version')
  // Options after a command are the command's.
  .enablePositionalOptions();

program
  .command('doctor')
  .description('print platform, Node.js, the binary and every backend with its status')
  .option('--json', 'as JSON')
  .addOption(
    new Option('--require <backend>', 'exit with 1 unless this backend works').choices([
      'cpu',
      'cuda',
    ]),
  )
  .action((options: { json?: boolean; require?: string }) => {
    process.exitCode = doctor(options);
  });

program
  .command('inspect')
  .description('print what a saved state says of its classes')
  .argument('<file>', 'a file written by saveState, or a checkpoint as safetensors')
  .option('--json', 'as JSON')
  .option('--prefix <prefix>', "what stands before the vectors' names in a model's checkpoint")
  .action((file: string, options: { json?: boolean; prefix?: string }) => {
    process.exitCode = inspect(file, options);
  });

program
  .command('bench')
  .description('time the package on this machine, beside others that are installed')
  .argument('[arguments...]', 'see efl bench --help')
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args: string[]) => {
    process.exitCode = await benchmark(args);
  });

program
  .command('build')
  .description('compile the native addon here, from the sources in the package')
  .action(() => {
    process.exitCode = buildFromSource();
  });

void program.parseAsync();
