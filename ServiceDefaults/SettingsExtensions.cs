using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform;

namespace Microsoft.Extensions.Hosting;

/// <summary>Finds wrong settings before anything is opened, so that a program can end with one sentence that names the key.</summary>
public static class SettingsExtensions
{
    /// <summary>Reads and checks every setting that is checked at the start, before anything is opened.</summary>
    /// <param name="host">The built host.</param>
    /// <exception cref="OptionsValidationException">A setting is wrong.</exception>
    public static void CheckSettings(this IHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var sections = host.Services.GetServices<SettingSection>().Select(section => section.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (host.Services.GetService<IConfiguration>() is { } configuration
            && SettingKeys.MistypedSections(configuration, sections).ToList() is { Count: > 0 } mistyped)
        {
            throw new OptionsValidationException(Options.Options.DefaultName, typeof(IHost), mistyped);
        }

        try
        {
            host.Services.GetService<IStartupValidator>()?.Validate();
        }
        catch (Exception exception) when (exception is not OptionsValidationException)
        {
            // Several kinds of options at once, or a word where a number has to be.
            var failures = exception is AggregateException several ? several.Flatten().InnerExceptions.SelectMany(Failures) : Failures(exception);
            throw new OptionsValidationException(Options.Options.DefaultName, typeof(IHost), failures);
        }
    }

    /// <summary>Everything that is wrong, in one line.</summary>
    /// <param name="exception">What the check found.</param>
    public static string Sentence(this OptionsValidationException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return string.Join(" ", exception.Failures).ReplaceLineEndings(" ");
    }

    private static IEnumerable<string> Failures(Exception exception) =>
        exception is OptionsValidationException options ? options.Failures : [exception.Message];
}
