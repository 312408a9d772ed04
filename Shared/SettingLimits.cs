using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Platform;

/// <summary>
/// Checks settings against the limits that are declared on them by attributes. A number or a duration without both
/// limits can be set so that something waits for ever, or never waits, or a timer throws, long after the start.
/// </summary>
public static class SettingLimits
{
    /// <summary>What of the settings is beyond its limits: one sentence for each, which names its key.</summary>
    /// <param name="section">The configuration section that they are bound to.</param>
    /// <param name="options">The settings; those of the platform's own types below them are checked too.</param>
    public static IEnumerable<string> Mistakes(string section, object options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(
            property => property.GetIndexParameters().Length == 0))
        {
            var value = property.GetValue(options);
            if (value is not null && IsGroup(property.PropertyType))
            {
                foreach (var mistake in Mistakes($"{section}:{property.Name}", value))
                {
                    yield return mistake;
                }

                continue;
            }

            // An empty text passes a regular expression by the framework's rule; all of these allow it or have a
            // default.
            if (property.GetCustomAttributes<ValidationAttribute>().Any(
                rule => !rule.IsValid(value) || value is null or ""
                    && rule is RegularExpressionAttribute expression
                    && !Regex.IsMatch("", $"^(?:{expression.Pattern})$")))
            {
                yield return Mistake(section, property.Name, value, $"must be {AllowedOf(property)}");
            }
        }
    }

    /// <summary>The sentence about one setting.</summary>
    /// <param name="section">The configuration section.</param>
    /// <param name="key">The setting.</param>
    /// <param name="value">What it is.</param>
    /// <param name="rule">What it must be, as what follows "but".</param>
    public static string Mistake(string section, string key, object? value, string rule)
    {
        var shown = value is null or "" ? "empty" : Convert.ToString(value, CultureInfo.InvariantCulture);
        return $"{section}:{key} is {shown}, but {rule}.";
    }

    /// <summary>What a setting may be, in words.</summary>
    /// <param name="property">The setting.</param>
    /// <returns>For instance <c>from 1 to 100</c>; null when its type says all.</returns>
    public static string? AllowedOf(MemberInfo property)
    {
        ArgumentNullException.ThrowIfNull(property);
        if (property.GetCustomAttribute<RangeAttribute>() is { } range)
        {
            return string.Create(CultureInfo.InvariantCulture, $"from {range.Minimum} to {range.Maximum}");
        }

        if (property.GetCustomAttribute<AllowedValuesAttribute>() is { } values)
        {
            return $"one of {string.Join(", ", values.Values)}";
        }

        return property.GetCustomAttribute<RegularExpressionAttribute>() is { } expression
            ? $"text that matches {expression.Pattern}"
            : null;
    }

    /// <summary>Whether a type is one of settings below others.</summary>
    /// <param name="type">The type.</param>
    public static bool IsGroup(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.IsClass && type.Namespace is { } space
            && (space + ".").StartsWith("Platform.", StringComparison.Ordinal);
    }
}
