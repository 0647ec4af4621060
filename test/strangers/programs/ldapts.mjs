// ldapts on OpenLDAP.
import { Client } from 'ldapts';

const client = new Client({ url: process.env.LOOPBACK_TEST_LDAP });
await client.bind('cn=admin,dc=test', 'loopback');
const base = 'dc=test';
await client.add(base, { objectClass: ['dcObject', 'organization'], dc: 'test', o: 'test' });
await client.add(`cn=one,${base}`, { objectClass: 'applicationProcess', cn: 'one' });
console.log((await client.search(base, { filter: '(cn=one)' })).searchEntries);
await client.del(`cn=one,${base}`);
await client.del(base);
await client.search(base).catch(({ name }) => console.log(name));
await client.unbind();
