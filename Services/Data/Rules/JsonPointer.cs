using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Platform.Data.Rules;

/// <summary>Writes JSON pointers.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc6901"/></remarks>
public static class JsonPointer
{
    /// <summary>The pointer to a member of what another pointer points to.</summary>
    /// <param name="pointer">The pointer to the object.</param>
    /// <param name="member">The member's name.</param>
    public static string Member(string pointer, string member)
    {
        ArgumentNullException.ThrowIfNull(member);
        return $"{pointer}/{member.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
    }

    /// <summary>The pointer to an entry of what another pointer points to.</summary>
    /// <param name="pointer">The pointer to the array.</param>
    /// <param name="index">The entry's index.</param>
    public static string Item(string pointer, int index) => string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index}");

    /// <summary>The pointer to what a path of C# members names, such as <c>Lines[2].Quantity</c>, with the members in camelCase.</summary>
    /// <param name="path">The path.</param>
    public static string FromMemberPath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var pointer = new StringBuilder();
        foreach (var part in path.Split(['.', '['], StringSplitOptions.RemoveEmptyEntries))
        {
            pointer.Append('/').Append(part.EndsWith(']') ? part[..^1] : JsonNamingPolicy.CamelCase.ConvertName(part));
        }

        return pointer.ToString();
    }
}
