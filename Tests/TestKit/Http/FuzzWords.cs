using System.Text;

namespace Platform.Tests.TestKit.Http;

/// <summary>Values that programs stumble over.</summary>
internal static class FuzzWords
{
    public static readonly string[] Numbers =
    [
        "0", "1", "-1", "5", "7.5", "20", "100", "101", "1000", "1e3", "1E400", "-0", "+5", "NaN", "Infinity", "-Infinity", "0x1F", "5\0\0", "5\0", "\u00005",
        " 5", "5 ", "5\n", "1_000", "1,000",
        "1.5.5", ".5", "5.", "--5", "", "٥", "５", "²", "2147483648", "-2147483649", "9223372036854775808", "79228162514264337593543950336",
        "0.00000000000000000000000000000001",
        "180", "181", "-180.0000001", "90", "20000", "20000.1", "4.9E-324", "1.7976931348623157E+308", "−5",
    ];

    public static readonly string[] Texts =
    [
        "lamp", "Lamp Product", "\"blue lamp\"", "-lamp", "lamp -blue", "\"", "\"\"", "\"lamp", "lamp\"", "\\", "'", "''; drop table products; --", "$where",
        "{\"$gt\":\"\"}", "[$ne]=1", "%", "%%%", "a%b",
        "--", "- - -", "----------------------------------------", "-\"-\"-\"-", "lamp ----------------------------------------", "-a -b -c -d", "&|!()<>:*",
        "a:*", "!lamp", "( lamp", "lamp & ", "<->", "a<->b",
        "*", ".*", "^a$", "(a+)+$", "XK-2000", "2000", "café", "cafe\u0301", "ışık", "ﬁ", "ǅ", "ß", "İ", "🙂", "👩‍👩‍👧‍👦", "\u202Elamp", "\u200B", "\uFEFF",
        "\uFFFD", "\uFFFF", "\U0010FFFF", "\0", "a\0b", "\u0001", "\u0085", "\u2028",
        "the", "and or not", "ا ل", "東京", "ไทย", "null", "undefined", "true", "../../etc/passwd", "<script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}",
        "\r\nX-Injected: 1", " ", "", "\t", "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    ];

    public static readonly string[] Days =
    [
        "2026-01-01", "2026-01-31", "2026-02-30", "2026-13-01", "0000-00-00", "0001-01-01", "1969-12-31", "1970-01-01", "9998-12-31", "9999-12-31",
        "10000-01-01", "2026-1-1", "2026-01-01T00:00:00Z", "26-01-01", "2026-01-01\0",
        "yesterday", "-2026-01-01", "２０２６-01-01", "",
    ];

    public static readonly string[] Ids =
    [
        "000000000000000000000000", "ffffffffffffffffffffffff", "FFFFFFFFFFFFFFFFFFFFFFFF", "65f00000000000000000000", "65f0000000000000000000011",
        "zzzzzzzzzzzzzzzzzzzzzzzz", "42", "", "null", "65f000000000000000000001\0", "65f00000-0000-0000-0000-0001",
        "６5f000000000000000000001",
    ];

    public static readonly string[] Headers =
    [
        "", "1", "k", "key with spaces", "~", new('k', 255), new('k', 256), new('k', 5000), "é", "\u0001", "a\tb", "🙂", "a,b", "\"quoted\"", "%00",
        "text/html", "*/*", "application/json;q=0", "bytes=0-10", "W/\"1\"", "-1", "gzip, br",
    ];

    public static readonly string[] MediaTypes =
    [
        "application/json", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"", "application/json; charset=utf-16",
        "application/json; charset=latin1", "application/json; charset=", "application/json; charset",
        "application/json;;", "APPLICATION/JSON", "text/json", "text/plain", "application/problem+json", "application/vnd.api+json", "application/*", "*/*",
        "application/xml", "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded", "", " ", "json", "/", "application/json, application/json", "application/json; charset=utf-8; charset=utf-16",
        "application/json\u00e9",
    ];

    public static readonly string[] Encodings = ["identity", "gzip", "br", "deflate", "zstd", "compress", "gzip, identity", "", "x", "IDENTITY"];

    public static readonly string[] Accepts =
    [
        "*/*", "application/json", "application/problem+json", "text/html", "text/html, application/xhtml+xml", "image/png",
        "application/json;q=0", "", ";;;", "a", "*",
    ];

    public static readonly string[] Hosts =
    [
        "localhost", "localhost:80", "127.0.0.1", "[::1]", "[::1]:5080", "LOCALHOST", "evil.example", "localhost.evil.example",
        "127.0.0.1.nip.io", "evil.example:80", "", "localhost:99999", "a b", "http://localhost", "localhost@evil.example", "[::1", "\u00e9",
    ];

    public static readonly string[] Methods =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "G", "GETT", new('M', 300)];

    public static readonly string[] JsonValues =
    [
        "null", "true", "0", "-1", "1", "10001", "1.0", "1e0", "1e2", "1E400", "-0", "2147483648", "1e-400", "99999999999999999999999999999999999999", "0.1",
        "\"\"", "\"x\"", "\"2\"", "[]", "{}", "[[]]", "{\"$gt\":1}", "01", "+1", "NaN", "0x1",
        "'x'", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude42\"", "\"\\u0000\"", "\"\\x\"", "\"\\u12\"", "\"\t\"", "\"unterminated", "tru",
        "//comment\n1", "/**/1",
        "\"65f000000000000000000001\"", "\"65F000000000000000000001\"", "\"65f00000000000000000000g\"",
    ];

    /// <summary>Bytes that are no UTF-8: lone continuations, overlong forms, surrogates, beyond the last code point, cut sequences.</summary>
    public static readonly byte[][] NoUtf8 =
    [
        [0xFF, 0xFE], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xB0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        [0xF8, 0x88, 0x80, 0x80, 0x80], [0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x99],
    ];

    /// <summary>A text of random code points, half of them of ASCII.</summary>
    public static string Random(Random random)
    {
        var text = new StringBuilder();
        for (var length = random.Next(1, 60); length > 0; length--)
        {
            var point = random.Next(3) switch { 0 => random.Next(0x110000), 1 => random.Next(0x3000), _ => random.Next(0x80) };
            text.Append(Rune.IsValid(point) ? new Rune(point).ToString() : "x");
        }

        return text.ToString();
    }
}
