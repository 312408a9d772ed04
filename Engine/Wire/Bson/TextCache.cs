using System.Text;

namespace Platform.Wire.Bson;

/// <summary>
/// Strings made of bytes that come again and again: names of commands, databases and collections. It has a fixed number of places, so a
/// client that makes names up only evicts others.
/// </summary>
public static class TextCache
{
    private const int Places = 1024;
    private const int Longest = 64;
    private static readonly string?[] s_places = new string?[Places];

    /// <summary>The text of UTF-8 bytes; one object for equal ones as long as it is kept.</summary>
    public static string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length is 0 or > Longest)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        // FNV-1a
        var hash = 2166136261u;
        foreach (var value in utf8)
        {
            hash = (hash ^ value) * 16777619u;
        }

        ref var place = ref s_places[hash % Places];
        var known = Volatile.Read(ref place);
        if (known is not null && Ascii.Equals(utf8, known))
        {
            return known;
        }

        var text = Encoding.UTF8.GetString(utf8);
        if (Ascii.IsValid(utf8))
        {
            Volatile.Write(ref place, text);
        }

        return text;
    }
}
