// postgres: a cursor, LISTEN and NOTIFY.
import postgres from 'postgres';

const sql = postgres(process.env.LOOPBACK_TEST_POSTGRES, { max: 1, onnotice() {} });
console.log(await sql`select ${'said'} as word, generate_series(1, 3) as n`.then((rows) => rows.map(({ n }) => n)));
const heard = new Promise((resolve) => sql.listen('strangers', resolve).then(() => sql.notify('strangers', 'heard')));
console.log(await heard);
let rows = 0;
await sql`select generate_series(1, 1000)`.cursor(100, (part) => {
  rows += part.length;
});
console.log(rows);
await sql.end();
