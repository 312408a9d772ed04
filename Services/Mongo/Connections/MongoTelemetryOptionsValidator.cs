using Microsoft.Extensions.Options;

namespace Platform.Mongo.Connections;

/// <summary>Checks <see cref="MongoTelemetryOptions"/> against the limits declared on them.</summary>
internal sealed class MongoTelemetryOptionsValidator : IValidateOptions<MongoTelemetryOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, MongoTelemetryOptions options) =>
        SettingLimits.Mistakes(MongoTelemetryOptions.Section, options).ToList() is { Count: > 0 } mistakes ? ValidateOptionsResult.Fail(mistakes) : ValidateOptionsResult.Success;
}
