namespace Aspire.Hosting.ApplicationModel;

/// <summary>The rule for names of resources and endpoints: at most 64 ASCII letters, digits and hyphens, a letter first, no hyphen last or twice.</summary>
internal static class ModelName
{
    private const int MaxLength = 64;

    public static void Validate(string name, string kind)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (Problem(name) is { } problem)
        {
            throw new ArgumentException($"The {kind} name '{name}' is invalid: it {problem}.", nameof(name));
        }
    }

    private static string? Problem(string name)
    {
        if (name.Length > MaxLength)
        {
            return $"is longer than {MaxLength} characters";
        }

        if (!char.IsAsciiLetter(name[0]))
        {
            return "must start with an ASCII letter";
        }

        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            return "may hold only ASCII letters, digits and hyphens";
        }

        return name.EndsWith('-') || name.Contains("--", StringComparison.Ordinal)
            ? "must not end with a hyphen or hold two in a row"
            : null;
    }
}
