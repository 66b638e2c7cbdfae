// Fifty operations by ioredis, with its pipelines. Prints each result. Argument: the port.
const Redis = require("ioredis");

const client = new Redis({ port: Number(process.argv[2]), connectionName: "tests", maxRetriesPerRequest: 1 });

async function say(operation) {
  try {
    console.log(JSON.stringify(await operation(), (_, value) => (value instanceof Error ? value.message : value)));
  } catch (error) {
    console.log(error.name, error.message);
  }
}

async function main() {
  await say(() => client.del("js:a", "js:b", "js:c"));
  await say(() => client.ping());
  await say(() => client.echo("hello"));
  await say(() => client.client("GETNAME"));
  await say(() => client.select(0));
  await say(() => client.select(99));
  await say(() => client.incr("js:a"));
  await say(() => client.incrby("js:a", 41));
  await say(() => client.decr("js:a"));
  await say(() => client.decrby("js:a", 2));
  await say(() => client.get("js:a"));
  await say(() => client.get("js:none"));
  await say(() => client.mget("js:a", "js:none"));
  await say(() => client.exists("js:a", "js:none"));
  await say(() => client.type("js:a"));
  await say(() => client.type("js:none"));
  await say(() => client.wait(0, 10));
  await say(() => client.incrby("js:a", "9223372036854775807"));
  await say(() => client.incrby("js:a", "x"));
  await say(() => client.call("FOO", "a"));
  await say(() => client.call("GET"));
  for (let number = 0; number < 15; number++) await say(() => client.incrby("js:b", number));
  // All at once: they go as one pipeline.
  await say(() => Promise.all([1, 2, 3, 4, 5].map((delta) => client.incrby("js:b", delta))));
  await say(() => client.pipeline().incr("js:b").get("js:b").incrby("js:b", "x").exec());
  await say(() => client.multi().incr("js:c").get("js:c").del("js:c").get("js:c").exec());
  await say(() => client.multi().incr("js:c").call("FOO").exec());
  await say(() => client.multi({ pipeline: false }));
  await say(() => client.incr("js:c"));
  await say(() => client.exec());
  await say(() => client.getdel("js:c"));
  await say(async () => {
    const names = [];
    for await (const some of client.scanStream({ match: "js:*", count: 100 })) names.push(...some);
    return names.sort();
  });
  for (const key of ["js:a", "js:b", "js:c"]) await say(() => client.get(key));
  await say(() => client.unlink("js:a", "js:none"));
  await say(() => client.del("js:b"));
  await say(() => client.dbsize());
  await say(() => client.quit());
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
