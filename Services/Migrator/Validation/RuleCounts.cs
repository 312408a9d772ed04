namespace Platform.Migrator.Validation;

/// <summary>Names rules by the places that break them.</summary>
internal static class RuleCounts
{
    /// <summary>The path of a field, such as <c>lines[].total</c>, of a pointer such as <c>/lines/3/total</c>.</summary>
    public static string PathOf(string pointer)
    {
        var path = string.Concat(pointer.Split('/', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.All(char.IsAsciiDigit) ? "[]" : $".{part}"));
        return path.Length == 0 ? "(document)" : path.TrimStart('.');
    }
}
