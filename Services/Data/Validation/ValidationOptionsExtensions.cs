using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Platform.Data.Validation;

/// <summary>Registers <see cref="ValidationOptions"/>.</summary>
public static class ValidationOptionsExtensions
{
    /// <summary>Binds <see cref="ValidationOptions"/> to their section; a wrong or unknown setting stops the start.</summary>
    /// <param name="services">The services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddValidationOptions(this IServiceCollection services)
    {
        services.AddOptions<ValidationOptions>()
            .BindSettings(ValidationOptions.Section)
            .ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ValidationOptions>, Validator>());
        return services;
    }

    private sealed class Validator : IValidateOptions<ValidationOptions>
    {
        public ValidateOptionsResult Validate(string? name, ValidationOptions options) =>
            options.Mistakes().ToList() is { Count: > 0 } mistakes ? ValidateOptionsResult.Fail(mistakes) : ValidateOptionsResult.Success;
    }
}
