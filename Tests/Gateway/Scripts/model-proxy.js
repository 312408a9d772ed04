// A proxy between driver and server that loses what it is told to lose: it cuts both connections of a command instead of
// handing on its answer ('reply', the command was carried out), or cuts the client's at once while the server works ('client').
'use strict';
const net = require('node:net');

const OP_MSG = 2013;

class Proxy {
  #lose = null;
  #sockets = new Set();

  constructor(port, host = '127.0.0.1') {
    this.losses = 0;
    this.server = net.createServer(client => this.#join(client, net.connect(port, host)));
  }

  async listen() {
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return this.server.address().port;
  }

  /** The next `times` messages whose command `which` picks lose their answer in this way. */
  lose(which, way, times = 1) { this.#lose = { which, way, times }; }

  /** Loses nothing more; says whether something that was to be lost was left. */
  spare() {
    const left = this.#lose !== null;
    this.#lose = null;
    return left;
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise(resolve => this.server.close(resolve));
  }

  #join(client, server) {
    const lost = new Set();
    const end = () => { client.destroy(); server.destroy(); };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('error', end).on('close', () => { this.#sockets.delete(socket); end(); });
    }
    cut(client, message => {
      const way = this.#wayOf(message);
      if (way === 'reply') lost.add(message.readInt32LE(4));
      server.write(message);
      // What was written is on its way before the connection is closed.
      if (way === 'client') { client.destroy(); server.end(); }
    });
    cut(server, message => {
      if (lost.has(message.readInt32LE(8))) end();
      else client.write(message);
    });
  }

  #wayOf(message) {
    if (this.#lose === null || message.readInt32LE(12) !== OP_MSG || !this.#lose.which(command(message))) return null;
    const { way } = this.#lose;
    this.losses++;
    if (--this.#lose.times === 0) this.#lose = null;
    return way;
  }
}

// The name of an OP_MSG's command: the first field of the section of kind 0, which drivers send first.
function command(message) {
  const start = 16 + 4 + 1 + 4 + 1;
  return message.toString('latin1', start, message.indexOf(0, start));
}

// Cuts a stream into messages.
function cut(socket, take) {
  let rest = Buffer.alloc(0);
  socket.on('data', data => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      take(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  });
}

module.exports = { Proxy };
