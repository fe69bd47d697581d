//! Nodes behind `HAProxy` are replaced one after the other while they are asked: no request fails.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    fleet::{Fleet, Places},
    support::{MACHINE, Request, chance::Chance, postgres::PostgresDatabase, process::free_port},
    wire::Client,
};

struct Balancer {
    child: Child,
    folder: tempfile::TempDir,
    address: SocketAddr,
}

impl Balancer {
    /// Asks `/readyz` five times a second, and sends nobody to a node that says 503.
    fn start(nodes: &[SocketAddr]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut text = format!(
            "defaults\n mode http\n timeout connect 2s\n timeout client 30s\n timeout server 30s\n \
             option redispatch\n retries 3\nfrontend hub\n bind {address}\n default_backend nodes\n\
             backend nodes\n balance roundrobin\n option httpchk GET /readyz\n \
             default-server check inter 200ms fall 1 rise 1\n"
        );
        for (number, node) in nodes.iter().enumerate() {
            let _ = writeln!(text, " server node{number} {node}");
        }
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, text).expect("its settings");
        let program =
            ["/usr/sbin/haproxy", "/usr/bin/haproxy"].into_iter().find(|path| fs::exists(path).unwrap_or(false));
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let child = Command::new(program.expect("HAProxy (Debian: apt-get install haproxy)"))
            .args(["-db", "-f"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("HAProxy");
        Self { child, folder, address }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_behind_haproxy_loses_no_request() {
    const DRAIN: [&str; 2] = ["--drain-time", "2s"];
    let _machine = MACHINE.lock().await;
    let database = PostgresDatabase::create();
    let places = Places::on(&vec![database.url.clone(); 3]);
    let Fleet { mut nodes } = places.start(&DRAIN);
    let sites: Vec<_> = nodes.iter().map(|node| node.site.clone()).collect();
    let balancer = Balancer::start(&sites.iter().map(|site| site.address).collect::<Vec<_>>());
    let mut chance = Chance::new(Chance::seed());
    let (person, living, dead) = {
        let fleet = Fleet { nodes };
        let person = fleet.person().await;
        let living = person.create(0, &mut chance, "Operator").await.expect("a key");
        let dead = person.create(1, &mut chance, "Operator").await.expect("a key");
        let mut client = Client::new(sites[1].address);
        let token = client.token(&dead.id, &dead.secret).await.expect("an answer").expect(200).member("access_token");
        person.delete(2, &dead).await.expect("deleted");
        nodes = fleet.nodes;
        (person.through(balancer.address), living, (dead, token))
    };
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let askers: Vec<_> = (0..6)
        .map(|number| {
            let (stop, asked) = (Arc::clone(&stop), Arc::clone(&asked));
            let (person, living, dead, address) = (person.clone(), living.clone(), dead.clone(), balancer.address);
            tokio::spawn(async move {
                let mut client = Client::new(address);
                while !stop.load(Ordering::Relaxed) {
                    let token = client.token(&living.id, &living.secret).await.expect("an answer").expect(200);
                    let token = token.member("access_token");
                    client.get("/api/v1/whoami", &token).await.expect("an answer").expect(200);
                    client.get("/api/v1/whoami", &dead.1).await.expect("an answer").expect(401);
                    let refused = client.token(&dead.0.id, &dead.0.secret).await.expect("an answer");
                    assert!(matches!(refused.status, 401 | 429), "{refused:?}"); // too many of them are throttled
                    asked.fetch_add(4, Ordering::Relaxed);
                    if number == 0 {
                        person.send(0, Request::get("/console/overview")).await.expect("an answer").expect(200);
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        })
        .collect();
    let start = Instant::now();
    for (number, site) in sites.iter().enumerate() {
        let old = nodes.remove(0);
        // The old node drains while others serve; the new one takes its place.
        let stopped = tokio::task::block_in_place(|| old.stop());
        assert!(stopped.success(), "{stopped}");
        nodes.push(tokio::task::block_in_place(|| places.start_node(number, site, &DRAIN)));
        // Until the balancer has seen it.
        tokio::time::sleep(Duration::from_secs(1)).await;
        println!("node {number} replaced after {:?}, {} requests", start.elapsed(), asked.load(Ordering::Relaxed));
    }
    stop.store(true, Ordering::Relaxed);
    for asker in askers {
        let outcome = asker.await;
        let log = fs::read_to_string(balancer.folder.path().join("log")).unwrap_or_default();
        outcome.unwrap_or_else(|error| panic!("a request failed: {error}; {log}"));
    }
    assert!(asked.load(Ordering::Relaxed) > 100);
}
