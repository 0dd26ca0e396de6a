using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Security;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;

using Mono.Security.X509;

using Certificate = System.Security.Cryptography.X509Certificates.X509Certificate2;
using Chain = System.Security.Cryptography.X509Certificates.X509Chain;
using Store = Mono.Security.X509.X509Store;
using Stored = Mono.Security.X509.X509Certificate;

/// <summary>Judges cases as the TLS clients of Mono do: purpose, host name, X509Chain. --version prints the version of Mono.</summary>
static class Judge
{
    const int CertificateFile = 0, ChainFile = 1, Host = 5, At = 6, Anchors = 7, Crls = 8, Fields = 12;

    static readonly Regex Pem = new Regex("-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----");

    // What Mono's own SslStream calls; it is internal, as is everything that uses it without a connection.
    static readonly MethodInfo Evaluate = typeof(Chain).Assembly
        .GetType("Mono.Net.Security.SystemCertificateValidator", true)
        .GetMethod("Evaluate", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);

    static int Main(string[] words)
    {
        if (words.Length == 1 && words[0] == "--version")
        {
            MethodInfo name = Type.GetType("Mono.Runtime").GetMethod("GetDisplayName", BindingFlags.Static | BindingFlags.NonPublic);
            Console.WriteLine("Mono " + ((string)name.Invoke(null, null)).Split(' ')[0]);
            return 0;
        }
        var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { NewLine = "\n", AutoFlush = true };
        for (string line = input.ReadLine(); line != null; line = input.ReadLine())
        {
            string[] fields = line.Split('\t');
            Array.Resize(ref fields, Fields);
            string path = Reason(fields, false);
            output.WriteLine(Verdict("path", path) + (path == "" ? Verdict("crl", Reason(fields, true)) : ""));
        }
        return 0;
    }

    static string Verdict(string part, string reason)
    {
        return part + "\t" + (reason == "" ? "1" : "0") + "\t" + Regex.Replace(reason, @"\p{Cc}", " ") + "\t";
    }

    /// <summary>Returns why a case is rejected, or "".</summary>
    static string Reason(string[] fields, bool revocation)
    {
        // The validator prints what it catches, with a stack trace.
        var printed = new StringWriter();
        Console.SetError(printed);
        try
        {
            string reason = Validate(fields, revocation);
            string first = printed.ToString().Split('\n')[0];
            return reason == "" || first == "" ? reason : reason + ": " + first;
        }
        catch (Exception error)
        {
            while (error.InnerException != null)
                error = error.InnerException;
            return error.GetType().Name + ": " + error.Message;
        }
    }

    static string Validate(string[] fields, bool revocation)
    {
        List<byte[]> sent = Blocks(fields[CertificateFile]);
        if (!string.IsNullOrEmpty(fields[ChainFile]))
            sent.AddRange(Blocks(fields[ChainFile]));
        Store roots = X509StoreManager.CurrentUser.TrustedRoot, others = X509StoreManager.CurrentUser.IntermediateCA;
        List<Stored> anchors = Paths(fields[Anchors]).SelectMany(Blocks).Select(der => new Stored(der)).ToList();
        var crls = new List<X509Crl>();
        try
        {
            anchors.ForEach(roots.Import);
            if (revocation)
                crls.AddRange(Paths(fields[Crls]).Select(path => new X509Crl(File.ReadAllBytes(path))));
            crls.ForEach(others.Import);
            return Errors(sent, fields, revocation);
        }
        finally
        {
            anchors.ForEach(roots.Remove);
            crls.ForEach(others.Remove);
        }
    }

    static string Errors(List<byte[]> sent, string[] fields, bool revocation)
    {
        var certificates = new X509Certificate2Collection(sent.Select(der => new Certificate(der)).ToArray());
        var chain = new Chain();
        chain.ChainPolicy.RevocationMode = revocation ? X509RevocationMode.Offline : X509RevocationMode.NoCheck;
        double seconds = double.Parse(fields[At], CultureInfo.InvariantCulture);
        chain.ChainPolicy.VerificationTime = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(seconds).ToLocalTime();
        chain.ChainPolicy.ExtraStore.AddRange(certificates);
        var arguments = new object[] { null, fields[Host], certificates, chain, SslPolicyErrors.None, 0 };
        if ((bool)Evaluate.Invoke(null, arguments))
            return "";
        string flags = string.Join(", ", chain.ChainStatus.Select(one => one.Status));
        return arguments[4] + (flags == "" ? string.Format(" (0x{0:X8})", arguments[5]) : ": " + flags);
    }

    static List<byte[]> Blocks(string path)
    {
        MatchCollection matches = Pem.Matches(File.ReadAllText(path, Encoding.GetEncoding("ISO-8859-1")));
        if (matches.Count == 0)
            throw new InvalidDataException("there is no certificate in the file");
        return matches.Cast<Match>().Select(one => Convert.FromBase64String(one.Groups[1].Value)).ToList();
    }

    static IEnumerable<string> Paths(string field)
    {
        return string.IsNullOrEmpty(field) ? new string[0] : field.Split('\u001f');
    }
}
