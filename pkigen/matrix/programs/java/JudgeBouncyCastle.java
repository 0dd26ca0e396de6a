import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMDecryptorProvider;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8DecryptorProviderBuilder;
import org.bouncycastle.openssl.jcajce.JcePEMDecryptorProviderBuilder;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;

/** Judges cases with the provider and the PEM reader of Bouncy Castle. */
public final class JudgeBouncyCastle {
    private static final String BC = "BC";

    public static void main(String[] words) throws Exception {
        Security.insertProviderAt(new BouncyCastleProvider(), 1);
        if (words[0].equals("--version")) {
            System.out.println("BouncyCastle " + Security.getProvider(BC).getInfo().replaceFirst(".* v", ""));
            return;
        }
        Lines.answer(CertificateFactory.getInstance("X.509", BC), JudgeBouncyCastle::judge);
    }

    private static void judge(Lines.Case asked) {
        if (asked.say("path", () -> path(asked, false))) {
            asked.say("crl", () -> path(asked, true));
        }
        if (asked.has(Lines.KEY)) {
            asked.say("key", () -> Lines.match(key(asked), asked.server().getPublicKey(), BC));
        }
        if (asked.has(Lines.PKCS12)) {
            asked.say("pkcs12", () -> Lines.openKeyStore(asked, KeyStore.getInstance("PKCS12", BC)));
        }
    }

    private static void path(Lines.Case asked, boolean revocation) throws Exception {
        List<X509Certificate> sent = asked.sent();
        X509CertSelector target = new X509CertSelector();
        target.setCertificate(sent.get(0));
        target.setExtendedKeyUsage(Set.of("1.3.6.1.5.5.7.3.1"));
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(asked.anchors(), target);
        parameters.setDate(asked.at());
        parameters.setRevocationEnabled(revocation);
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(sent), BC));
        if (revocation) {
            parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(asked.lists()), BC));
        }
        CertPathBuilder.getInstance("PKIX", BC).build(parameters);
    }

    private static PrivateKey key(Lines.Case asked) throws Exception {
        char[] secret = asked.passphrase();
        try (Reader in = Files.newBufferedReader(Path.of(asked.fields[Lines.KEY]), StandardCharsets.ISO_8859_1)) {
            PEMParser parser = new PEMParser(in);
            JcaPEMKeyConverter converter = new JcaPEMKeyConverter().setProvider(BC);
            for (Object found = parser.readObject(); found != null; found = parser.readObject()) {
                if (found instanceof PEMKeyPair) {
                    return converter.getKeyPair((PEMKeyPair) found).getPrivate();
                }
                if (found instanceof PrivateKeyInfo) {
                    return converter.getPrivateKey((PrivateKeyInfo) found);
                }
                if (secret != null && found instanceof PEMEncryptedKeyPair) {
                    PEMDecryptorProvider opening = new JcePEMDecryptorProviderBuilder().setProvider(BC).build(secret);
                    return converter.getKeyPair(((PEMEncryptedKeyPair) found).decryptKeyPair(opening)).getPrivate();
                }
                if (secret != null && found instanceof PKCS8EncryptedPrivateKeyInfo) {
                    return converter.getPrivateKey(((PKCS8EncryptedPrivateKeyInfo) found).decryptPrivateKeyInfo(
                        new JceOpenSSLPKCS8DecryptorProviderBuilder().setProvider(BC).build(secret)));
                }
                if (found instanceof PEMEncryptedKeyPair || found instanceof PKCS8EncryptedPrivateKeyInfo) {
                    throw new IOException("the key is encrypted, and there is no passphrase");
                }
            }
        }
        throw new IOException("there is no private key in the file");
    }
}
