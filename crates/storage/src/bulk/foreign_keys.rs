//! Foreign keys, checked for all rows of a table at once.

use tokio_postgres::Client;

use crate::{Result, StorageError};

/// How a load holds to the foreign keys.
///
/// PostgreSQL looks up each reference of each row and locks what it finds, which is more than half of the work of a load. What
/// it would lock here nobody else can see: whoever may switch those look-ups off (a superuser, as on a private PostgreSQL) does
/// so, and one join for each key says the same in the end, and holds to more: that loaded rows refer to loaded rows alone,
/// since only those cannot go away meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ForeignKeyChecks {
    PerRow,
    PerTable,
}

impl ForeignKeyChecks {
    /// As this account may, for the transaction that has begun.
    pub(super) async fn choose(client: &Client) -> Result<Self> {
        let ask = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
        if !client.query_one(ask, &[]).await.map_err(StorageError::from_driver)?.get::<_, bool>(0) {
            return Ok(Self::PerRow);
        }
        client
            .batch_execute("SET LOCAL session_replication_role = replica")
            .await
            .map_err(StorageError::from_driver)?;
        Ok(Self::PerTable)
    }

    /// Checks what was loaded into these tables, unless it was as it came.
    ///
    /// # Errors
    /// `Missing`, with the name of the key.
    pub(super) async fn check(self, client: &Client, tables: &[&str]) -> Result<()> {
        if self == Self::PerRow {
            return Ok(());
        }
        let names: Vec<String> =
            tables.iter().map(|table| format!("'{table}'::regclass")).collect();
        let check = CHECK.replace("{tables}", &names.join(", "));
        client.batch_execute(&check).await.map_err(StorageError::from_driver)
    }
}

/// Nobody counts how many rows one transaction made, so that PostgreSQL takes them for few and would compare each with each.
const CHECK: &str = "SET LOCAL enable_nestloop = off;
SET LOCAL work_mem = '64MB';
DO $$
DECLARE
    key record;
    is_broken boolean;
BEGIN
    FOR key IN
        SELECT conname, conrelid::regclass AS child, confrelid::regclass AS parent,
               string_agg(format('parent.%I = child.%I', there.attname, here.attname), ' AND ') AS matches,
               string_agg(format('child.%I IS NOT NULL', here.attname), ' AND ') AS is_given
        FROM pg_constraint, unnest(conkey, confkey) AS pair (here, there)
        JOIN pg_attribute AS here ON here.attnum = pair.here
        JOIN pg_attribute AS there ON there.attnum = pair.there
        WHERE contype = 'f' AND conrelid IN ({tables})
            AND here.attrelid = conrelid AND there.attrelid = confrelid
        GROUP BY conname, conrelid, confrelid
    LOOP
        EXECUTE format(
            'SELECT EXISTS (
                SELECT FROM %s AS child LEFT JOIN %s AS parent ON %s AND parent.xmin = $1
                WHERE child.xmin = $1 AND %s AND parent.xmin IS NULL
            )',
            key.child, key.parent, key.matches, key.is_given
        ) INTO is_broken USING pg_current_xact_id()::xid;
        IF is_broken THEN
            RAISE foreign_key_violation USING CONSTRAINT = key.conname;
        END IF;
    END LOOP;
END $$";
