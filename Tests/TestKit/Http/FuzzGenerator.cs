using System.Globalization;
using System.Text;

namespace Platform.Tests.TestKit.Http;

/// <summary>Makes requests of an endless kind from a seed: mostly right in most places, and wrong in the others in every way that there is.</summary>
/// <param name="shop">What the service knows.</param>
/// <param name="seed">The seed.</param>
public sealed class FuzzGenerator(FuzzShop shop, int seed)
{
    private const int MaxCursors = 200;

    // All that the API serves, each with the parameters of its query. What they are made of is the same for a name everywhere.
    private static readonly (string Method, string Path, string[] Parameters)[] Routes =
    [
        ("GET", "/tenants", []),
        ("GET", "/tenants/{tenant}/products", ["search", "category", "minPrice", "maxPrice", "cursor", "limit"]),
        ("GET", "/tenants/{tenant}/products/{product}", []),
        ("GET", "/tenants/{tenant}/stores/near", ["lon", "lat", "km"]),
        ("POST", "/tenants/{tenant}/orders", []),
        ("POST", "/tenants/{tenant}/orders", []),
        ("GET", "/tenants/{tenant}/orders/{order}", []),
        ("GET", "/tenants/{tenant}/reports/sales", ["from", "to", "product", "store"]),
        ("GET", "/tenants/{tenant}/reports/stock", ["product", "store", "from", "to", "limit"]),
        ("GET", "/openapi/v1.json", []),
        ("GET", "/alive", []),
        ("GET", "/nowhere", ["x"]),
    ];

    private readonly Random _random = new(seed);
    private readonly List<string> _cursors = [];
    private string _order = "65f000000000000000000001";
    private bool _isHttp;
    private bool _ends;

    /// <summary>Takes from an answer what later requests can go on with.</summary>
    /// <param name="text">The answer's body.</param>
    public void Learn(string text)
    {
        if (Member(text, "nextCursor") is { } cursor)
        {
            if (_cursors.Count == MaxCursors)
            {
                _cursors.RemoveAt(0);
            }

            _cursors.Add(cursor);
        }

        if (text.StartsWith("{\"id\":", StringComparison.Ordinal) && text.Contains("\"customerId\"", StringComparison.Ordinal))
        {
            _order = Member(text, "id")!;
        }
    }

    /// <summary>The next request.</summary>
    public FuzzRequest Next()
    {
        (_isHttp, _ends) = (true, false);
        var (usual, path, parameters) = Pick(Routes);
        var method = Sometimes(12) ? Pick(FuzzWords.Methods) : usual == "GET" && Sometimes(6) ? "HEAD" : usual;
        if (method is "get" or "G" or "GETT" || method.Length > 20)
        {
            // Kestrel knows no length of methods, and other servers refuse what they do not know.
            _isHttp = false;
        }

        var bytes = new MemoryStream();
        Write(bytes, $"{method} {Path(path)}{Query(parameters)} HTTP/1.1\r\n");
        WriteHost(bytes);
        WriteHeaders(bytes);
        var body = usual == "POST" || Sometimes(30) ? Body() : [];
        WriteBody(bytes, body, usual == "POST");
        return new FuzzRequest($"{usual} {path}", method, bytes.ToArray(), _isHttp, _ends);
    }

    private string Path(string path)
    {
        var filled = path
            .Replace("{tenant}", Sometimes(12) ? Encoded(Text()) : shop.Tenant, StringComparison.Ordinal)
            .Replace("{product}", Id(shop.Product), StringComparison.Ordinal)
            .Replace("{order}", Id(_order), StringComparison.Ordinal);
        if (Sometimes(40))
        {
            filled = _random.Next(8) switch
            {
                0 => filled + "/",
                1 => filled.Replace("/", "//", StringComparison.Ordinal),
                2 => filled + "/../products",
                3 => filled.ToUpperInvariant(),
                4 => filled + "/" + new string('a', _random.Next(1, 7000)),
                5 => filled + "%2F..%2f",
                6 => filled + ";x=1",
                _ => "http://localhost" + filled,
            };
        }

        // A path with NUL is refused before anybody sees it, and a whole address that differs from Host; a path that is no UTF-8 is left as it is.
        _isHttp &= !filled.Contains("%00", StringComparison.Ordinal) && filled.StartsWith('/');
        return filled;
    }

    private string Id(string right) => Sometimes(5) ? Encoded(Pick(FuzzWords.Ids)) : right;

    private string Query(string[] parameters)
    {
        List<string> parts =
            [.. parameters.Where(name => !Sometimes(name is "cursor" or "category" or "product" ? 2 : 6)).Select(name => $"{name}={Value(name)}")];
        if (Sometimes(20))
        {
            parts.Add(_random.Next(6) switch
            {
                0 => parts.Count > 0 ? parts[0] : "x",
                1 => "=",
                2 => "&&",
                3 => $"{Encoded(Text())}={Encoded(Text())}",
                4 => "limit[]=1;limit=2",
                _ => "search",
            });
        }

        return parts.Count == 0 ? "" : $"?{string.Join('&', parts)}";
    }

    private string Value(string name) => Encoded(Sometimes(4) ? Odd(name) : Right(name));

    private string Right(string name) => name switch
    {
        "search" => Pick(["lamp", "product 3", "blue"]),
        "category" => shop.Category,
        "cursor" when _cursors.Count > 0 => Pick(_cursors),
        "from" => "2026-01-01",
        "to" => "2026-03-31",
        "product" => shop.Product,
        "store" => shop.Store,
        "lon" or "lat" => (_random.NextDouble() * 90).ToString("R", CultureInfo.InvariantCulture),
        "minPrice" => "0.99",
        _ => Pick(["7", "20", "25"]),
    };

    private string Odd(string name) => name switch
    {
        "search" when Sometimes(4) => FuzzWords.Random(_random),
        "search" or "category" => Text(),
        "cursor" => Cursor(),
        "from" or "to" => Pick(FuzzWords.Days),
        "product" or "store" => Pick(FuzzWords.Ids),
        _ => Pick(FuzzWords.Numbers),
    };

    private string Cursor()
    {
        if (_cursors.Count == 0 || Sometimes(3))
        {
            return Text();
        }

        var cursor = Pick(_cursors);
        var at = _random.Next(cursor.Length);
        return _random.Next(4) switch
        {
            0 => cursor[..at],
            1 => $"{cursor[..at]}{(char)_random.Next(33, 127)}{cursor[(at + 1)..]}",
            2 => cursor + "=",
            _ => cursor,
        };
    }

    private string Text() => Sometimes(50)
        ? string.Concat(Enumerable.Repeat(Pick(["a", "-", "é", "\"", "🙂", "a\u0301"]), _random.Next(1, 400)))
        : Pick(FuzzWords.Texts);

    // A value for a URL. Some of it is left as it is, encoded twice, in other letters, or wrongly.
    private string Encoded(string value)
    {
        var encoded = Uri.EscapeDataString(value);
        return !Sometimes(8) ? encoded : _random.Next(9) switch
        {
            0 => encoded.ToLowerInvariant(),
            1 => Uri.EscapeDataString(encoded),
            2 => encoded.Replace("%20", "+", StringComparison.Ordinal),
            3 => encoded + "%",
            4 => encoded + "%zz",
            5 => encoded + "%u0041",
            6 => encoded + string.Concat(Pick(FuzzWords.NoUtf8).Select(unit => $"%{unit:X2}")),
            7 => encoded + string.Concat(Pick(FuzzWords.NoUtf8).Select(unit => $"%{unit:x2}")) + encoded,
            _ => string.Concat(Encoding.UTF8.GetBytes(value).Select(unit => $"%{unit:X2}")),
        };
    }

    private void WriteHost(MemoryStream bytes)
    {
        if (Sometimes(200))
        {
            _isHttp = false;
            return;
        }

        var host = Sometimes(25) ? Pick(FuzzWords.Hosts) : "localhost";
        _isHttp &= host is not ("a b" or "http://localhost" or "localhost@evil.example" or "[::1" or "é" or "localhost:99999");
        WriteHeader(bytes, "Host", host);
    }

    private void WriteHeaders(MemoryStream bytes)
    {
        if (Sometimes(3))
        {
            WriteHeader(bytes, "Accept", Pick(FuzzWords.Accepts));
        }

        if (Sometimes(8))
        {
            var name =
                Pick([
                    "Idempotency-Key", "Idempotency-Key", "X-HTTP-Method-Override", "Range", "If-None-Match", "If-Modified-Since", "Accept-Language",
                    "Accept-Encoding", "Cookie", "Authorization", "X-Forwarded-For", "X-Forwarded-Host", "Origin", "Referer", "traceparent", "tracestate",
                    "baggage", "X-" + new string('n', _random.Next(1, 2000)),
                ]);
            WriteHeader(bytes, name, Pick(FuzzWords.Headers));
            if (Sometimes(10))
            {
                WriteHeader(bytes, name, Pick(FuzzWords.Headers));
            }
        }

        if (Sometimes(150))
        {
            _isHttp = false;
            _ends = true;
            Write(bytes, Pick(
                [
                    "no colon\r\n", ": no name\r\n", "sp ace: 1\r\n", " folded: 1\r\n", "X-A: 1\rX\r\n", "Content-Length: x\r\n",
                    "Content-Length: -1\r\n", $"X-Long: {new string('x', 40_000)}\r\n", "Transfer-Encoding: gzip\r\n",
                ]));
        }
    }

    private void WriteHeader(MemoryStream bytes, string name, string value)
    {
        // Beyond ASCII, and below the blank, it is the server's to say what a header may have.
        if (value.Any(unit => unit is < ' ' and not '\t' or > '~'))
        {
            _isHttp = false;
        }

        Write(bytes, $"{name}: {value}\r\n");
    }

    private byte[] Body()
    {
        var text = Order();
        var bytes = Encoding.UTF8.GetBytes(text);
        return _random.Next(16) switch
        {
            0 => Spliced(bytes, Pick(FuzzWords.NoUtf8)),
            1 => Spliced(bytes, Encoding.ASCII.GetBytes(Pick(["\\ud800", "\\udc00", "\\ud83d\\ude42", "\\u0000", "\0", "\"", "}", "{", ",", "\\"]))),
            2 => bytes[.._random.Next(bytes.Length)],
            3 => Changed(bytes),
            4 => [0xEF, 0xBB, 0xBF, .. bytes],
            5 => Pick<Encoding>([Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32, Encoding.Latin1]).GetBytes(text),
            6 => Encoding.UTF8.GetBytes(Pick(FuzzWords.JsonValues)),
            7 when Sometimes(4) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Pick(["[", "{\"a\":", "[{\"lines\":"]), _random.Next(1, 3000)))),
            8 when Sometimes(8) => Encoding.ASCII.GetBytes($"{{\"customerId\":\"{new string('x', _random.Next(60_000, 80_000))}\"}}"),
            9 => Encoding.UTF8.GetBytes(text + Pick([" ", "x", "{}", "\0", "\r\n"])),
            _ => bytes,
        };
    }

    private string Order()
    {
        var lines = string.Join(',', Enumerable.Range(0, Sometimes(30) ? _random.Next(0, 130) : 1).Select(_ => Object(
            ("productId", $"\"{shop.Product}\""), ("quantity", Sometimes(3) ? Pick(FuzzWords.JsonValues) : "1"))));
        return Object(("customerId", $"\"{shop.Customer}\""), ("storeId", $"\"{shop.Store}\""), ("lines", $"[{lines}]"));
    }

    // Members that are missing, wrong, there twice, or spelled another way.
    private string Object(params (string Name, string Value)[] members)
    {
        List<string> written = [];
        foreach (var (name, value) in members)
        {
            if (Sometimes(25))
            {
                continue;
            }

            var asWritten = Sometimes(40) ? name.ToUpperInvariant() : Sometimes(40) ? $"\\u{(int)name[0]:x4}{name[1..]}" : name;
            written.Add($"\"{asWritten}\":{(Sometimes(15) ? Pick(FuzzWords.JsonValues) : value)}");
            if (Sometimes(40))
            {
                written.Add($"\"{name}\":{value}");
            }
        }

        if (Sometimes(25))
        {
            written.Add($"\"{Pick(["x", "__proto__", "$where", "", "a.b", "\\ud800", "~/"])}\":{Pick(FuzzWords.JsonValues)}");
        }

        return $"{{{string.Join(',', written)}}}";
    }

    private void WriteBody(MemoryStream bytes, byte[] body, bool wanted)
    {
        if (wanted || body.Length > 0)
        {
            if (!Sometimes(15))
            {
                WriteHeader(bytes, "Content-Type", Sometimes(6) ? Pick(FuzzWords.MediaTypes) : "application/json");
            }

            if (Sometimes(15))
            {
                WriteHeader(bytes, "Content-Encoding", Pick(FuzzWords.Encodings));
            }

            if (Sometimes(20))
            {
                WriteHeader(bytes, "Expect", "100-continue");
            }

            if (Sometimes(8))
            {
                WriteChunks(bytes, body);
                return;
            }

            Write(bytes, string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n"));
        }

        Write(bytes, "\r\n");
        bytes.Write(body);
    }

    private void WriteChunks(MemoryStream bytes, byte[] body)
    {
        Write(bytes, "Transfer-Encoding: chunked\r\n\r\n");
        foreach (var chunk in body.Chunk(_random.Next(1, 500)))
        {
            Write(bytes, $"{chunk.Length:x}\r\n");
            bytes.Write(chunk);
            Write(bytes, "\r\n");
        }

        if (Sometimes(30))
        {
            (_isHttp, _ends) = (false, true);
            Write(bytes, Pick(["zz\r\n", "-1\r\n", "fffffffffffffffff\r\n", "\r\n\r\n"]));
            return;
        }

        Write(bytes, "0\r\n\r\n");
    }

    private byte[] Spliced(byte[] bytes, byte[] what)
    {
        var at = _random.Next(bytes.Length + 1);
        return [.. bytes[..at], .. what, .. bytes[at..]];
    }

    private byte[] Changed(byte[] bytes)
    {
        for (var changes = _random.Next(1, 4); changes > 0 && bytes.Length > 0; changes--)
        {
            bytes[_random.Next(bytes.Length)] = (byte)_random.Next(256);
        }

        return bytes;
    }

    private static string? Member(string text, string name)
    {
        var start = text.IndexOf($"\"{name}\":\"", StringComparison.Ordinal);
        if (start < 0)
        {
            return null;
        }

        start += name.Length + 4;
        return text[start..text.IndexOf('"', start)];
    }

    private static void Write(MemoryStream bytes, string text) => bytes.Write(Encoding.UTF8.GetBytes(text));

    private bool Sometimes(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];
}
