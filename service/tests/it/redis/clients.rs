//! Usual clients: the same script with counterd and with a real Redis, and the same results.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use redis::Commands;

use super::beside::both;
use super::wire::{Wire, command};
use crate::harness::{is_missing, skip};

/// Where `.ci/tools` has installed clients. `None`, loudly, if they are not there.
fn tool(path: &str) -> Option<PathBuf> {
    let tools = std::env::var_os("COUNTERD_TEST_TOOLS").map(PathBuf::from);
    let found = tools.map(|tools| tools.join(path)).filter(|path| path.exists());
    if found.is_none() {
        skip(&format!("COUNTERD_TEST_TOOLS names no folder with {path}: run .ci/tools"));
    }
    found
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').unwrap().1
}

/// What a script prints, with each server.
fn compare(mut command: impl FnMut() -> Command) {
    let Some((_setup, counterd, redis)) = both() else { return };
    let outputs = [&counterd.redis, &redis.address].map(|address| {
        let output = command().arg(port(address)).output().unwrap();
        assert!(output.status.success(), "{}", words(&output));
        String::from_utf8(output.stdout).unwrap()
    });
    let [ours, theirs] = &outputs;
    assert!(theirs.lines().count() >= 50, "{theirs}");
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours, theirs);
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

#[test]
fn redis_py_has_the_same_results() {
    let Some(python) = tool("python/bin/python") else { return };
    compare(|| {
        let mut command = Command::new(&python);
        command.arg(script("redis_py.py"));
        command
    });
}

#[test]
fn ioredis_has_the_same_results() {
    let Some(modules) = tool("node_modules") else { return };
    if is_missing("node") {
        return;
    }
    compare(|| {
        let mut command = Command::new("node");
        command.arg(script("ioredis.js")).env("NODE_PATH", &modules);
        command
    });
}

/// Over 50 operations. Each result as text.
fn operations(address: &str) -> redis::RedisResult<Vec<String>> {
    let mut connection = redis::Client::open(format!("redis://{address}/"))?.get_connection()?;
    let mut told = Vec::new();
    // INCRBY 0 of a new counter differs: see docs/redis.md.
    for number in 1..=14 {
        let value: i64 = connection.incr("rs:a", number)?;
        let read: i64 = connection.get("rs:a")?;
        let less: i64 = connection.decr("rs:b", number + 1)?;
        told.push(format!("{value} {read} {less}"));
    }
    let all: Vec<Option<i64>> = connection.mget(&["rs:a", "rs:none", "rs:b"])?;
    let exists: bool = connection.exists("rs:a")?;
    let pipeline: Vec<i64> =
        redis::pipe().incr("rs:c", 1).incr("rs:c", 2).decr("rs:c", 4).query(&mut connection)?;
    let batch: (i64, i64, i64, Option<i64>) =
        redis::pipe().atomic().incr("rs:c", 5).get("rs:c").del("rs:c").get("rs:c").query(&mut connection)?;
    let mut names: Vec<String> = connection.scan_match("rs:*")?.collect::<redis::RedisResult<_>>()?;
    names.sort();
    let error: redis::RedisResult<i64> = redis::cmd("INCRBY").arg("rs:a").arg("x").query(&mut connection);
    let gone: Option<i64> = connection.get_del("rs:a")?;
    let deleted: i64 = connection.del(&["rs:a", "rs:b", "rs:c"])?;
    let pong: String = redis::cmd("PING").query(&mut connection)?;
    told.push(format!(
        "{all:?} {exists} {pipeline:?} {batch:?} {names:?} {error:?} {gone:?} {deleted} {pong}"
    ));
    Ok(told)
}

#[test]
fn the_redis_crate_has_the_same_results() {
    let Some((_setup, counterd, redis)) = both() else { return };
    assert_eq!(operations(&counterd.redis).unwrap(), operations(&redis.address).unwrap());
}

#[test]
fn redis_cli_pipe_has_the_same_results() {
    let Some((_setup, counterd, redis)) = both() else { return };
    if is_missing("redis-cli") {
        return;
    }
    let input: Vec<u8> = (0..50_i64)
        .flat_map(|number| match number % 5 {
            4 => command(&["DEL", &format!("cli:{}", number % 7)]),
            3 => command(&["INCRBY", "cli:0", "x"]),
            _ => command(&["INCRBY", &format!("cli:{}", number % 7), &(number + 1).to_string()]),
        })
        .collect();
    let results = [&counterd.redis, &redis.address].map(|address| {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", port(address), "--pipe"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = cli.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = words(&child.wait_with_output().unwrap());
        let names: Vec<_> = (0..7).map(|number| format!("cli:{number}")).collect();
        let names: Vec<_> = ["MGET"].into_iter().chain(names.iter().map(String::as_str)).collect();
        (output, Wire::to(address).ask(&names))
    });
    assert!(results[0].0.contains("replies: 50"), "{}", results[0].0);
    assert_eq!(results[0], results[1]);
}

#[test]
fn redis_benchmark_runs() {
    let Some((_setup, counterd, _redis)) = both() else { return };
    if is_missing("redis-benchmark") {
        return;
    }
    let mut benchmark = Command::new("redis-benchmark");
    benchmark.args([
        "-p",
        port(&counterd.redis),
        "-t",
        "ping,incr",
        "-n",
        "2000",
        "-c",
        "5",
        "-P",
        "4",
        "--csv",
    ]);
    let output = benchmark.output().unwrap();
    assert!(output.status.success() && words(&output).contains("\"INCR\""), "{}", words(&output));
    let value = Wire::to(&counterd.redis).ask(&["GET", "counter:__rand_int__"]);
    assert_eq!(value, "$4\r\n2000\r\n");
}
