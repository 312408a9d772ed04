using System.Globalization;
using Microsoft.Extensions.Options;

namespace Platform.Mongo.Connections;

/// <summary>Checks <see cref="MongoOptions"/> against the limits declared on them; each failure is one sentence that names the key.</summary>
internal sealed class MongoOptionsValidator : IValidateOptions<MongoOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, MongoOptions options)
    {
        List<string> failures = [.. SettingLimits.Mistakes(MongoOptions.Section, options)];
        if (options.MinPoolSize > options.MaxPoolSize && options.MaxPoolSize > 0)
        {
            failures.Add(SettingLimits.Mistake(MongoOptions.Section, nameof(options.MinPoolSize), options.MinPoolSize, string.Create(
                CultureInfo.InvariantCulture, $"must not be above {MongoOptions.Section}:{nameof(options.MaxPoolSize)}, which is {options.MaxPoolSize}")));
        }

        if (options.Retry.Delay > options.Retry.MaxDelay)
        {
            failures.Add(SettingLimits.Mistake($"{MongoOptions.Section}:Retry", nameof(options.Retry.Delay), options.Retry.Delay,
                $"must not be above {MongoOptions.Section}:Retry:{nameof(options.Retry.MaxDelay)}, which is {options.Retry.MaxDelay}"));
        }

        if (options.Gate.GrowAfter >= options.Gate.QueueTimeout && options.Gate.QueueTimeout > TimeSpan.Zero)
        {
            failures.Add(SettingLimits.Mistake($"{MongoOptions.Section}:Gate", nameof(options.Gate.GrowAfter), options.Gate.GrowAfter,
                $"must be below {MongoOptions.Section}:Gate:{nameof(options.Gate.QueueTimeout)}, which is {options.Gate.QueueTimeout}"));
        }

        if (int.TryParse(options.WriteConcern, NumberStyles.Integer, CultureInfo.InvariantCulture, out var members)
            && (members < 0 || members == 0 && options.Journal))
        {
            failures.Add(SettingLimits.Mistake(
                MongoOptions.Section, nameof(options.WriteConcern), options.WriteConcern, "must acknowledge writes when they are to be journalled"));
        }

        if (options.TlsCaFile.Length > 0)
        {
            if (!options.Tls)
            {
                failures.Add(SettingLimits.Mistake(
                    MongoOptions.Section, nameof(options.TlsCaFile), options.TlsCaFile,
                    $"is for TLS, which {MongoOptions.Section}:{nameof(options.Tls)} turns on"));
            }

            try
            {
                TrustedAuthority.FromFile(options.TlsCaFile);
            }
            catch (InvalidDataException exception)
            {
                failures.Add($"{MongoOptions.Section}:{nameof(options.TlsCaFile)}: {exception.Message}");
            }
        }

        if (options.PasswordFile.Length > 0)
        {
            try
            {
                new PasswordFile(options.PasswordFile).Read();
            }
            catch (InvalidDataException exception)
            {
                failures.Add($"{MongoOptions.Section}:{nameof(options.PasswordFile)}: {exception.Message}");
            }
        }

        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }
}
