import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Judge TRUST (crl|ocsp) LEAF CHAIN ...: prints LEAF, and "good", the reason of its revocation, or why not. */
public class Judge {
    public static void main(String[] words) throws Exception {
        Set<TrustAnchor> anchors = new HashSet<>();
        for (X509Certificate one : read(words[0])) {
            anchors.add(new TrustAnchor(one, null));
        }
        for (int at = 1; at < words.length; at += 3) {
            System.out.println(words[at] + " " + words[at + 1] + " " + judge(anchors, words, at));
        }
    }

    private static String judge(Set<TrustAnchor> anchors, String[] words, int at) throws Exception {
        List<X509Certificate> path = new ArrayList<>(read(words[at + 1]));
        for (X509Certificate one : read(words[at + 2])) {
            if (!one.getSubjectX500Principal().equals(one.getIssuerX500Principal())) {
                path.add(one);
            }
        }
        CertPath asked = CertificateFactory.getInstance("X.509").generateCertPath(path);
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        EnumSet<PKIXRevocationChecker.Option> options = EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK);
        if (words[at].equals("crl")) {
            options.add(PKIXRevocationChecker.Option.PREFER_CRLS);
        } else {
            options.add(PKIXRevocationChecker.Option.ONLY_END_ENTITY);
        }
        checker.setOptions(options);
        PKIXParameters parameters = new PKIXParameters(anchors);
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(asked, parameters);
            return "good";
        } catch (CertPathValidatorException refused) {
            for (Throwable cause = refused; cause != null; cause = cause.getCause()) {
                if (cause instanceof CertificateRevokedException) {
                    return ((CertificateRevokedException) cause).getRevocationReason().toString();
                }
            }
            return "refused: " + refused.getReason() + " " + refused.getMessage();
        }
    }

    private static Collection<X509Certificate> read(String file) throws Exception {
        List<X509Certificate> found = new ArrayList<>();
        try (InputStream in = new FileInputStream(file)) {
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                found.add((X509Certificate) one);
            }
        }
        return found;
    }
}
