// Axios through Tinyproxy, plain and with CONNECT, to a server here.
import http from 'node:http';
import axios from 'axios';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((request, response) => response.end(request.url));
const url = `http://127.0.0.1:${await listening(server)}`;
const { hostname: host, port } = new URL(process.env.LOOPBACK_TEST_TINYPROXY);
const headers = { connection: 'close' };
console.log((await axios.get(`${url}/plain`, { headers, proxy: { host, port: Number(port) } })).data);
const httpAgent = new HttpsProxyAgent(process.env.LOOPBACK_TEST_TINYPROXY);
console.log((await axios.get(`${url}/connect`, { headers, proxy: false, httpAgent })).data);
await closed(server);
