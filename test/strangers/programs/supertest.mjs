// supertest, which listens on whatever address Node takes, and asks 127.0.0.1.
import express from 'express';
import supertest from 'supertest';

const app = express();
app.get('/', (_request, response) => response.json({ ok: true }));
for (let times = 0; times < 3; ++times) {
  const { status, body } = await supertest(app).get('/').expect(200);
  console.log(status, body);
}
