//! A throwaway primary with standbys.

mod node;

use std::sync::atomic::{AtomicU32, Ordering};

pub use self::node::Node;
use crate::Error;
use crate::url::connection_url_of;

/// A primary and its standbys, each a throwaway PostgreSQL of its own, for tests of what happens when one of them lags, dies
/// or freezes. Dropping it stops and removes all of them.
///
/// Commits wait until one standby has received them, whichever is first (`synchronous_standby_names = 'ANY 1 (*)'`). No node
/// is restarted or promoted by itself. Needs `psql` of the same installation.
#[derive(Debug)]
pub struct ReplicatedCluster {
    nodes: Vec<Node>,
}

/// The settings and files of the servers of a [`ReplicatedCluster`].
#[derive(Debug, Clone, Default)]
pub struct NodeOptions {
    /// Settings in the form `name=value`.
    pub settings: Vec<String>,
    /// Files in the data directory, readable by the server alone: names and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

impl ReplicatedCluster {
    /// Starts a primary with this number of standbys. They are ready when this returns.
    pub fn throwaway(name: &str, standbys: usize) -> Result<Self, Error> {
        Self::throwaway_with(name, standbys, &NodeOptions::default())
    }

    /// Like [`throwaway`](Self::throwaway), with further settings and files for all servers.
    pub fn throwaway_with(
        name: &str,
        standbys: usize,
        options: &NodeOptions,
    ) -> Result<Self, Error> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);

        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name} {} {number}", std::process::id());
        let primary = Node::create(&format!("{name} primary"), options, 0 < standbys)?;
        let mut nodes = Vec::new();
        if 0 < standbys {
            // Its own settings must be in its control file before it is copied, so it has to run once.
            primary.start()?;
            primary.stop()?;
            for number in 1..=standbys {
                nodes.push(primary.copy(&format!("{name} standby {number}"))?);
            }
        }
        primary.start()?;
        for standby in &nodes {
            standby.configure_primary(&primary)?;
            standby.start()?;
        }
        nodes.insert(0, primary);
        let cluster = Self { nodes };
        for standby in &cluster.nodes[1..] {
            standby.wait_until_streaming()?;
        }
        Ok(cluster)
    }

    /// The servers. The first one starts as the primary.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The connection URL of `database` with all servers as its hosts, in their order.
    pub fn url(&self, database: &str) -> String {
        let socket_dirs: Vec<_> = self.nodes.iter().map(Node::socket_dir).collect();
        connection_url_of(&socket_dirs, database)
    }
}
