//! Foreign key checks for all rows of a table at once.

use tokio_postgres::Client;

use crate::{Result, StorageError};

/// How foreign keys are checked during a load.
///
/// By default, PostgreSQL looks up and locks the referenced row of every foreign key of every row. That is more than half of
/// the work of a load. The locks are not needed here, because no other transaction can see these rows. If the account may
/// turn the checks off (a superuser, as on a private PostgreSQL), the load does so, and checks each key with one join at the
/// end. That check is stricter: loaded rows may refer only to loaded rows, because only those cannot be deleted in the
/// meantime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ForeignKeyChecks {
    PerRow,
    PerTable,
}

impl ForeignKeyChecks {
    /// Chooses the kind of checks that the account allows, for the current transaction.
    pub(super) async fn choose(client: &Client) -> Result<Self> {
        let is_superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
        let row = client.query_one(is_superuser, &[]).await.map_err(StorageError::from_driver)?;
        if !row.get::<_, bool>(0) {
            return Ok(Self::PerRow);
        }
        client
            .batch_execute("SET LOCAL session_replication_role = replica")
            .await
            .map_err(StorageError::from_driver)?;
        Ok(Self::PerTable)
    }

    /// Checks the rows that were loaded into these tables, unless PostgreSQL checked every row.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with the name of the foreign key.
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

/// Nested loops are off: PostgreSQL has no statistics on how many rows one transaction inserted. It would expect few, and
/// would compare every row with every other.
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
