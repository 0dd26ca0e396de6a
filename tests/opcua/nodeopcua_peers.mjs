// Connects node-opcua clients to node-opcua servers: nodeopcua_peers.mjs DIRECTORY SCRATCH SERVER/CLIENT...
//
// DIRECTORY is an export for nodeopcua. Each application uses a copy of its PKI directory below SCRATCH, because
// node-opcua writes to it. Prints one line for each pair: the pair, and `accepted` or the reason for the rejection.
import { once } from "node:events";
import { cp } from "node:fs/promises";
import { createServer } from "node:net";
import { OPCUACertificateManager } from "node-opcua-certificate-manager";
import { OPCUAClient } from "node-opcua-client";
import { MessageSecurityMode, SecurityPolicy } from "node-opcua-secure-channel";
import { OPCUAServer } from "node-opcua-server";

const [folder, scratch, ...pairs] = process.argv.slice(2);
const SERVER_URI = "urn:plant.example:Press:Server";
const CLIENT_URI = "urn:plant.example:Historian";
let copies = 0;

async function application(name) {
    const rootFolder = `${scratch}/${copies++}`;
    await cp(`${folder}/${name}`, rootFolder, { recursive: true });
    const manager = new OPCUACertificateManager({ rootFolder, automaticallyAcceptUnknownCertificate: false });
    await manager.initialize();
    return {
        manager,
        certificateFile: `${rootFolder}/own/certs/certificate.pem`,
        privateKeyFile: `${rootFolder}/own/private/private_key.pem`,
    };
}

async function freePort() {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address();
    await new Promise((done) => probe.close(done));
    return port;
}

async function attempt(serverName, clientName) {
    const { manager: serverCertificateManager, ...own } = await application(serverName);
    const port = await freePort();
    const server = new OPCUAServer({
        ...own,
        serverCertificateManager,
        port,
        nodeset_filename: [],
        serverInfo: { applicationUri: SERVER_URI },
        securityPolicies: [SecurityPolicy.Basic256Sha256],
        securityModes: [MessageSecurityMode.SignAndEncrypt],
    });
    await server.start();
    const { manager: clientCertificateManager, ...files } = await application(clientName);
    const client = OPCUAClient.create({
        ...files,
        clientCertificateManager,
        applicationUri: CLIENT_URI,
        securityMode: MessageSecurityMode.SignAndEncrypt,
        securityPolicy: SecurityPolicy.Basic256Sha256,
        endpointMustExist: false,
        connectionStrategy: { maxRetry: 0, initialDelay: 10 },
    });
    try {
        await client.connect(`opc.tcp://127.0.0.1:${port}`);
        const session = await client.createSession();
        await session.close();
    } finally {
        await client.disconnect().catch(() => {});
        await server.shutdown(0);
    }
}

async function verdictOf(pair) {
    let crash;
    const crashed = new Promise((_, reject) => (crash = reject));
    process.once("uncaughtException", crash);
    try {
        await Promise.race([attempt(...pair.split("/")), crashed]);
        return "accepted";
    } catch (error) {
        return error.message.replaceAll("\n", " ");
    } finally {
        process.off("uncaughtException", crash);
    }
}

for (const pair of pairs) {
    let verdict = await verdictOf(pair);
    // Another program took the free port first.
    while (verdict.includes("EADDRINUSE")) verdict = await verdictOf(pair);
    process.stdout.write(`${pair} ${verdict}\n`);
}
process.exit(0);
