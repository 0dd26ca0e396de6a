import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.CRL;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What pkigen.matrix.lines asks and is answered: a line for each case, fields between tabs. */
final class Lines {
    static final int CERTIFICATE = 0, CHAIN = 1, KEY = 2, PKCS12 = 3, PASSPHRASE = 4, HOST = 5, AT = 6, ANCHORS = 7, CRLS = 8;
    private static final int FIELDS = 12;

    interface Judge {
        void judge(Case asked) throws Exception;
    }

    interface Part {
        void judge() throws Exception;
    }

    /** One case, its files read by a certificate factory, and what is said of it. */
    static final class Case {
        final String[] fields;
        private final CertificateFactory factory;
        private final StringBuilder said = new StringBuilder();

        Case(String line, CertificateFactory factory) {
            String[] found = line.split("\t", -1);
            fields = new String[FIELDS];
            for (int at = 0; at < FIELDS; at++) {
                fields[at] = at < found.length ? found[at] : "";
            }
            this.factory = factory;
        }

        boolean has(int field) {
            return !fields[field].isEmpty();
        }

        Date at() {
            return new Date(Math.round(1000 * Double.parseDouble(fields[AT])));
        }

        X509Certificate server() throws Exception {
            try (InputStream in = Files.newInputStream(Path.of(fields[CERTIFICATE]))) {
                X509Certificate found = (X509Certificate) factory.generateCertificate(in);
                if (found == null) {
                    throw new IOException("there is no certificate in the file");
                }
                return found;
            }
        }

        List<X509Certificate> sent() throws Exception {
            List<X509Certificate> found = new ArrayList<>();
            found.add(server());
            if (has(CHAIN)) {
                List<X509Certificate> above = certificates(fields[CHAIN]);
                if (above.isEmpty()) {
                    throw new IOException("there is no certificate in the chain file");
                }
                found.addAll(above);
            }
            return found;
        }

        Set<TrustAnchor> anchors() throws Exception {
            Set<TrustAnchor> found = new HashSet<>();
            for (String path : paths(ANCHORS)) {
                for (X509Certificate one : certificates(path)) {
                    found.add(new TrustAnchor(one, null));
                }
            }
            return found;
        }

        List<CRL> lists() throws Exception {
            List<CRL> found = new ArrayList<>();
            for (String path : paths(CRLS)) {
                CRL list = factory.generateCRL(new ByteArrayInputStream(Files.readAllBytes(Path.of(path))));
                if (list == null) {
                    throw new IOException("there is no CRL in the file");
                }
                found.add(list);
            }
            return found;
        }

        char[] passphrase() throws IOException {
            return has(PASSPHRASE) ? Files.readAllLines(Path.of(fields[PASSPHRASE])).get(0).toCharArray() : null;
        }

        private List<String> paths(int field) {
            return has(field) ? List.of(fields[field].split("\u001f")) : Collections.emptyList();
        }

        private List<X509Certificate> certificates(String path) throws Exception {
            List<X509Certificate> found = new ArrayList<>();
            try (InputStream in = Files.newInputStream(Path.of(path))) {
                for (Certificate one : factory.generateCertificates(in)) {
                    found.add((X509Certificate) one);
                }
            }
            return found;
        }

        boolean say(String name, Part part) {
            String words = "";
            boolean accepted = false;
            try {
                part.judge();
                accepted = true;
            } catch (Exception | StackOverflowError | OutOfMemoryError error) {
                words = reason(error);
            }
            said.append(name).append('\t').append(accepted ? 1 : 0).append('\t');
            said.append(words.replaceAll("\\p{Cntrl}", " ")).append('\t');
            return accepted;
        }
    }

    /** Sees a PKCS#12 file opened by a key store, and its key belong to its certificate. */
    static void openKeyStore(Case asked, KeyStore store) throws Exception {
        char[] secret = asked.passphrase();
        try (InputStream in = Files.newInputStream(Path.of(asked.fields[PKCS12]))) {
            store.load(in, secret);
        }
        for (String alias : Collections.list(store.aliases())) {
            if (store.isKeyEntry(alias) && store.getCertificate(alias) != null) {
                match((PrivateKey) store.getKey(alias, secret), store.getCertificate(alias).getPublicKey(), null);
                return;
            }
        }
        throw new IOException("there is no key with a certificate in it");
    }

    /** Throws when what one key signs is not verified by the other; of a provider, or of any. */
    static void match(PrivateKey own, PublicKey certified, String provider) throws Exception {
        String kind = own.getAlgorithm().equals("ECDSA") ? "EC" : own.getAlgorithm();
        if (!kind.equals(certified.getAlgorithm())) {
            throw new IOException("the key is of another type than the certificate's");
        }
        String algorithm = kind.startsWith("Ed") ? kind : "SHA256with" + (kind.equals("EC") ? "ECDSA" : kind);
        Signature signing = provider == null ? Signature.getInstance(algorithm) : Signature.getInstance(algorithm, provider);
        signing.initSign(own);
        signing.update(new byte[32]);
        byte[] signature = signing.sign();
        Signature verifying = provider == null ? Signature.getInstance(algorithm) : Signature.getInstance(algorithm, provider);
        verifying.initVerify(certified);
        verifying.update(new byte[32]);
        if (!verifying.verify(signature)) {
            throw new IOException("the keys differ");
        }
    }

    /** The innermost message, or what it is an instance of. */
    private static String reason(Throwable error) {
        Throwable inner = error;
        while (inner.getCause() != null && inner.getCause() != inner) {
            inner = inner.getCause();
        }
        String message = inner.getMessage();
        return message == null || message.isBlank() ? inner.getClass().getSimpleName() : message;
    }

    static void answer(CertificateFactory factory, Judge judge) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Case asked = new Case(line, factory);
            judge.judge(asked);
            out.print(asked.said + "\n");
            out.flush();
        }
    }
}
