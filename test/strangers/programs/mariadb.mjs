// The MariaDB connector: a pool, a transaction, a broken query.
import mariadb from 'mariadb';

const { hostname: host, port } = new URL(process.env.LOOPBACK_TEST_MYSQL);
const pool = mariadb.createPool({ host, port: Number(port), user: 'root', database: 'mysql', connectionLimit: 1 });
const squares = await Promise.all([1, 2, 3].map((n) => pool.query('select ? * ? as square', [n, n])));
console.log(squares.map(([row]) => Number(row.square)));
const connection = await pool.getConnection();
await connection.query('create temporary table t (n int)');
await connection.beginTransaction();
await connection.batch('insert into t values (?)', [[1], [2], [3]]);
await connection.rollback();
console.log((await connection.query('select count(*) as n from t')).map(({ n }) => Number(n)));
await connection.query('select nonsense').catch(({ code }) => console.log(code));
await connection.release();
await pool.end();
