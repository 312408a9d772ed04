namespace Platform.Data.Documents;

/// <summary>The two ways between an enum's values and their stored names.</summary>
internal static class EnumNames<TEnum>
    where TEnum : struct, Enum
{
    private static readonly Dictionary<TEnum, string> s_names =
        Enum.GetValues<TEnum>().ToDictionary(value => value, value => DocumentConventions.ToCamelCase(value.ToString()));

    private static readonly Dictionary<string, TEnum> s_values = s_names.ToDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

    public static string ToStored(TEnum value) =>
        s_names.TryGetValue(value, out var name) ? name : throw new ArgumentOutOfRangeException(nameof(value), value, $"Not a {typeof(TEnum).Name}.");

    public static bool TryParse(string name, out TEnum value) => s_values.TryGetValue(name, out value);
}
