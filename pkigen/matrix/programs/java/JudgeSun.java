import java.security.KeyStore;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;

import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

import sun.security.util.HostnameChecker;

/** Judges cases as a TLS client of the JDK does. JudgeSun (files|crldp|ocsp): where revocation is looked up. */
public final class JudgeSun {
    private enum Lookup { NONE, FILES, CRLDP, OCSP }

    public static void main(String[] words) throws Exception {
        if (words[0].equals("--version")) {
            System.out.println("OpenJDK " + Runtime.version());
            return;
        }
        Lookup lookup = Lookup.valueOf(words[0].toUpperCase());
        Lines.answer(CertificateFactory.getInstance("X.509", "SUN"), asked -> judge(asked, lookup));
    }

    private static void judge(Lines.Case asked, Lookup lookup) {
        if (asked.say("path", () -> path(asked, Lookup.NONE))) {
            asked.say(lookup == Lookup.OCSP ? "ocsp" : "crl", () -> path(asked, lookup));
        }
        if (lookup == Lookup.FILES && asked.has(Lines.PKCS12)) {
            asked.say("pkcs12", () -> Lines.openKeyStore(asked, KeyStore.getInstance("PKCS12", "SunJSSE")));
        }
    }

    private static void path(Lines.Case asked, Lookup lookup) throws Exception {
        List<X509Certificate> sent = asked.sent();
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(asked.anchors(), new X509CertSelector());
        parameters.setDate(asked.at());
        parameters.setRevocationEnabled(lookup == Lookup.FILES);
        if (lookup == Lookup.FILES) {
            parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(asked.lists())));
        } else if (lookup != Lookup.NONE) {
            PKIXRevocationChecker checker =
                (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX", "SUN").getRevocationChecker();
            EnumSet<PKIXRevocationChecker.Option> options = EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK);
            options.add(lookup == Lookup.CRLDP ? PKIXRevocationChecker.Option.PREFER_CRLS : PKIXRevocationChecker.Option.ONLY_END_ENTITY);
            checker.setOptions(options);
            parameters.addCertPathChecker(checker);
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance("PKIX", "SunJSSE");
        managers.init(new CertPathTrustManagerParameters(parameters));
        X509TrustManager manager = (X509TrustManager) managers.getTrustManagers()[0];
        manager.checkServerTrusted(sent.toArray(new X509Certificate[0]), "UNKNOWN");
        if (asked.has(Lines.HOST)) {
            HostnameChecker.getInstance(HostnameChecker.TYPE_TLS).match(asked.fields[Lines.HOST], sent.get(0));
        }
    }
}
