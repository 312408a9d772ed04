using System.Collections;
using System.ComponentModel;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Platform;

/// <summary>
/// Compares the keys and values of a configuration with the settings that there are, before they are bound: a key that
/// is mistyped would be passed over in silence, and a word where a number has to be would be told in the binder's words.
/// </summary>
public static class SettingKeys
{
    /// <summary>What is wrong: one sentence for each key.</summary>
    /// <param name="section">The section of the configuration.</param>
    /// <param name="path">The section's name, as sentences tell it.</param>
    /// <param name="type">The settings that it is bound to.</param>
    public static IEnumerable<string> Mistakes(IConfiguration section, string path, Type type)
    {
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(type);
        var settings = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0
                && (property.CanWrite || SettingLimits.IsGroup(property.PropertyType)
                    || ValuesOf(property.PropertyType) is not null))
            .ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        return section.GetChildren().SelectMany(child => settings.TryGetValue(child.Key, out var setting)
            ? Mistakes(child, path, setting)
            : [Unknown($"{path}:", child.Key, [.. settings.Keys])]);
    }

    /// <summary>
    /// The sections of a configuration whose names are nearly, but not quite, those of a program: whoever mistypes the
    /// section's name is told so as well.
    /// </summary>
    /// <param name="configuration">The whole configuration.</param>
    /// <param name="sections">The sections that the program reads.</param>
    public static IEnumerable<string> MistypedSections(IConfiguration configuration, IReadOnlyCollection<string> sections)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(sections);
        // A name alone may be any variable of the environment; one with keys below it is a section of somebody's.
        return configuration.GetChildren()
            .Where(child => child.GetChildren().Any() && !sections.Contains(child.Key, StringComparer.OrdinalIgnoreCase)
                && !SettingNames.Sections.Contains(child.Key, StringComparer.OrdinalIgnoreCase)
                && NearestName.Of(child.Key, sections) is not null)
            .Select(child => Unknown("", child.Key, sections));
    }

    private static IEnumerable<string> Mistakes(IConfigurationSection value, string path, PropertyInfo setting)
    {
        var type = Nullable.GetUnderlyingType(setting.PropertyType) ?? setting.PropertyType;
        if (SettingLimits.IsGroup(type))
        {
            return Mistakes(value, $"{path}:{setting.Name}", type);
        }

        if (ValuesOf(type) is { } values)
        {
            return SettingLimits.IsGroup(values)
                ? value.GetChildren().SelectMany(
                    entry => Mistakes(entry, $"{path}:{setting.Name}:{entry.Key}", values))
                : [];
        }

        var isEmpty = value.Value is null || (value.Value.Length == 0 && type != setting.PropertyType);
        return isEmpty || TypeDescriptor.GetConverter(type).IsValid(value.Value!)
            ? []
            : [SettingLimits.Mistake(
                path, setting.Name, value.Value, $"must be {SettingLimits.AllowedOf(setting) ?? KindOf(type)}")];
    }

    // The values of a list, or of a dictionary with names as keys; null when it is neither.
    private static Type? ValuesOf(Type type) =>
        type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)) ? type.GenericTypeArguments[^1] : null;

    private static string Unknown(string before, string name, IReadOnlyCollection<string> known) =>
        NearestName.Of(name, known) is { } nearest
            ? $"{before}{name} is no setting; did you mean {before}{nearest}?"
            : $"{before}{name} is no setting; there are {string.Join(", ", known)}.";

    private static string KindOf(Type type) =>
        type == typeof(bool) ? "true or false"
        : type == typeof(TimeSpan) ? "a duration such as 00:00:15"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type))}"
        : "a number";
}
