using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Platform;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Binds settings, and has them checked against the names that there are and the limits declared on them.</summary>
public static class SettingLimitsExtensions
{
    /// <summary>
    /// Binds settings to a section. A key that is none of theirs, or a value that is not of its kind, stops the start with
    /// a sentence that names the key, and the one that was probably meant.
    /// </summary>
    /// <typeparam name="TOptions">The settings.</typeparam>
    /// <param name="builder">The settings' registration.</param>
    /// <param name="section">The configuration section.</param>
    /// <returns>The same registration.</returns>
    public static OptionsBuilder<TOptions> BindSettings<TOptions>(this OptionsBuilder<TOptions> builder, string section)
        where TOptions : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(new SettingSection(section));
        return builder
            .Configure<IConfiguration>((_, configuration) =>
            {
                var mistakes = SettingKeys.Mistakes(configuration.GetSection(section), section, typeof(TOptions)).ToList();
                if (mistakes.Count > 0)
                {
                    throw new OptionsValidationException(builder.Name, typeof(TOptions), mistakes);
                }
            })
            .BindConfiguration(section);
    }

    /// <summary>
    /// Checks the limits whenever the settings are read, and at the start: a wrong one stops it with a sentence that
    /// names the key.
    /// </summary>
    /// <typeparam name="TOptions">The settings.</typeparam>
    /// <param name="builder">The settings' registration.</param>
    /// <param name="section">The configuration section that they are bound to.</param>
    /// <returns>The same registration.</returns>
    public static OptionsBuilder<TOptions> ValidateLimits<TOptions>(
        this OptionsBuilder<TOptions> builder, string section)
        where TOptions : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<IValidateOptions<TOptions>>(new Limits<TOptions>(section));
        return builder.ValidateOnStart();
    }

    private sealed class Limits<TOptions>(string section) : IValidateOptions<TOptions>
        where TOptions : class
    {
        public ValidateOptionsResult Validate(string? name, TOptions options) =>
            SettingLimits.Mistakes(section, options).ToList() is { Count: > 0 } mistakes
                ? ValidateOptionsResult.Fail(mistakes)
                : ValidateOptionsResult.Success;
    }
}
