using System.Text;

namespace Platform.Tests.TestKit.Http;

/// <summary>A generated request.</summary>
/// <param name="Route">The route that it is meant for.</param>
/// <param name="Method">Its method.</param>
/// <param name="Bytes">The whole of it.</param>
/// <param name="IsHttp">Whether it keeps the protocol's own rules; where not, the server may refuse it in its own way, with a bare 400.</param>
/// <param name="Ends">Whether nothing can follow on its connection.</param>
public sealed record FuzzRequest(string Route, string Method, byte[] Bytes, bool IsHttp, bool Ends)
{
    private const int Shown = 700;

    /// <summary>The request in a line of ASCII, for reports.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var unit in Bytes.AsSpan(0, Math.Min(Bytes.Length, Shown)))
        {
            text.Append(unit switch { (byte)'\r' => "\\r", (byte)'\n' => "\\n", >= 0x20 and < 0x7F => ((char)unit).ToString(), _ => $"\\x{unit:X2}" });
        }

        return Bytes.Length > Shown ? $"{text}... ({Bytes.Length} bytes)" : text.ToString();
    }
}
