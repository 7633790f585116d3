// Streams a CSV file, or a made-up motion, and prints an event a line: `node main.js --help`.

import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import { inBlocks, openCsv, swing } from './frames.js';
import { MotionStream } from './stream.js';

const PROTO = fileURLToPath(new URL('../../proto/motionscribe_proto/segmentation.proto', import.meta.url));
const HELP = `usage: node main.js [options]
  --address HOST:PORT  of the server, 127.0.0.1:50051 unless given
  --model NAME         the server's only one unless given
  --stream-id ID       clusters and their names belong to it; node-example unless given
  --csv FILE           a frame a line, columns as the model has them; a made-up motion without it
  --seconds S          length of the made-up motion, 20 unless given
  --rate HZ            120 unless given
  --realtime           at the pace of the motion, not as fast as the server
  --durable            lose nothing even where the server dies
  --name NAME          gives the cluster that was seen longest this name
  --away S             SIGHUP cancels the call and resumes it after so many seconds, 2 unless given`;

const { values: options } = readOptions({
  options: {
    address: { type: 'string', default: '127.0.0.1:50051' },
    model: { type: 'string', default: '' },
    'stream-id': { type: 'string', default: 'node-example' },
    csv: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '120' },
    realtime: { type: 'boolean', default: false },
    durable: { type: 'boolean', default: false },
    name: { type: 'string' },
    away: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

function readOptions(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`motionscribe: ${error.message}`);
    process.exit(2);
  }
}

const proto = loadSync(PROTO, {
  keepCase: true, // fields as the proto spells them
  longs: Number, // microseconds and seqs fit 53 bits
  enums: String,
  defaults: true, // 0 and '' do not travel
  oneofs: true, // answer.message is 'opened', 'update' or 'go_away'
});
const services = grpc.loadPackageDefinition(proto).motionscribe.v1;

function connect(service) {
  return new service(options.address, grpc.credentials.createInsecure(), {
    'grpc.keepalive_time_ms': 20_000, // a connection that is dead is noticed
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.use_local_subchannel_pool': 1, // what is closed is closed
  });
}

async function ask(service, method, request) {
  const client = connect(service);
  try {
    return await promisify(client[method]).call(client, request);
  } finally {
    client.close();
  }
}

async function main() {
  const model = await ask(services.Models, 'DescribeModel', { name: options.model });
  const rateHz = Number(options.rate);
  const csv = options.csv && (await openCsv(options.csv, rateHz));
  const frames = csv ? csv.frames : swing(model.columns.length, Number(options.seconds), rateHz);
  const open = {
    stream_id: options['stream-id'],
    model: model.name,
    features: { names: csv?.names ?? model.columns }, // the server wants to know what the columns are
    rate_hz: rateHz,
    delivery: options.durable ? 'DELIVERY_DURABLE' : 'DELIVERY_LIVE',
  };
  const blocks = inBlocks(frames, rateHz, options.realtime);
  const stream = new MotionStream(() => connect(services.Segmentation), open, blocks);
  process.on('SIGHUP', () => stream.reconnect(1000 * Number(options.away)));
  for await (const event of stream.events()) console.log(JSON.stringify(event));
  if (options.name) await nameTheLongest(options['stream-id'], options.name);
}

async function nameTheLongest(stream_id, name) {
  const list = await ask(services.Clusters, 'ListClusters', { stream_id });
  const own = list.clusters.filter((cluster) => cluster.merged_into === 0);
  const longest = own.reduce((one, other) => (other.seconds > one.seconds ? other : one));
  const renamed = await ask(services.Clusters, 'RenameCluster', { stream_id, id: longest.id, name });
  console.log(JSON.stringify({ renamed }));
}

if (options.help) {
  console.log(HELP);
} else {
  try {
    await main();
  } catch (error) {
    console.error(`motionscribe: ${error.details || error.message}`);
    process.exitCode = 1;
  }
}
