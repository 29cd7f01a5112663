//! The limits of the server on connections.

use diesel_async::AsyncConnection;
use grateful_storage::{Connection, connection_limit};
use grateful_test_database::TestDatabase;

#[tokio::test]
async fn the_least_limit_of_server_database_and_role_applies() {
    let database = TestDatabase::create_empty().await;
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    let role = format!("role_{name}");
    database.execute(&format!("CREATE ROLE {role} LOGIN")).await;
    let url = database.url().replace("grateful@", &format!("{role}@"));
    let limit = async || {
        let mut conn = Connection::establish(&url).await.unwrap();
        connection_limit(&mut conn).await.unwrap()
    };

    let of_server = limit().await;
    database.execute(&format!("ALTER DATABASE {name} CONNECTION LIMIT 20")).await;
    let of_database = limit().await;
    database.execute(&format!("ALTER ROLE {role} CONNECTION LIMIT 10")).await;
    let of_role = limit().await;
    let of_superuser = connection_limit(&mut database.connect().await).await.unwrap();
    database.execute(&format!("DROP ROLE {role}")).await;

    assert_eq!([of_server, of_database, of_role, of_superuser], [197, 20, 10, 200]);
}
