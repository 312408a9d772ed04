using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>Adds parameters to the graph.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a parameter that is read from <c>Parameters:NAME</c>.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        bool secret = false)
        => builder.AddResource(Create(builder, name, secret, parameterDefault: null));

    /// <summary>Adds a parameter with a fixed value, which <c>Parameters:NAME</c> does not change.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        string value,
        bool publishValueAsDefault = false,
        bool secret = false)
        => builder.AddParameter(name, () => value, publishValueAsDefault, secret);

    /// <summary>Adds a parameter whose value is computed, which <c>Parameters:NAME</c> does not change.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        Func<string> valueGetter,
        bool publishValueAsDefault = false,
        bool secret = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return publishValueAsDefault && secret
            ? throw new ArgumentException("A secret cannot be published as a default.", nameof(publishValueAsDefault))
            : builder.AddResource(new ParameterResource(name, _ => valueGetter(), secret));
    }

    /// <summary>Adds a parameter that is read from <c>Parameters:NAME</c>, with a default.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="value">The default.</param>
    /// <param name="secret">Whether the dashboard masks it.</param>
    /// <param name="persist">Whether the default is kept in the user secrets for the next run.</param>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        ParameterDefault value,
        bool secret = false,
        bool persist = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(value);
        return builder.AddResource(Create(
            builder, name, secret, persist ? new UserSecretsParameterDefault(name, value, builder.UserSecretsManager) : value));
    }

    /// <summary>Adds a parameter that is read from a configuration key.</summary>
    public static IResourceBuilder<ParameterResource> AddParameterFromConfiguration(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        string configurationKey,
        bool secret = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddResource(new ParameterResource(name, fallback => Read(builder, name, configurationKey, fallback), secret));
    }

    /// <summary>Says what the parameter is for.</summary>
    public static IResourceBuilder<ParameterResource> WithDescription(
        this IResourceBuilder<ParameterResource> builder,
        string description,
        bool enableMarkdown = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Resource.Description = description;
        builder.Resource.EnableDescriptionMarkdown = enableMarkdown;
        return builder;
    }

    /// <summary>Adds a connection string that is read from <c>ConnectionStrings:NAME</c>.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="environmentVariableName">What consumers get it as; null: <c>ConnectionStrings__NAME</c>.</param>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        string? environmentVariableName = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddResource<ConnectionStringParameterResource>(new(
            name,
            _ => builder.Configuration.GetConnectionString(name)
                ?? throw new MissingParameterValueException($"The connection string '{name}' is missing: set ConnectionStrings:{name}."),
            environmentVariableName));
    }

    /// <summary>Makes a secret parameter that is generated at the first run and kept in the user secrets.</summary>
    public static ParameterResource CreateDefaultPasswordParameter(
        IDistributedApplicationBuilder builder,
        string name,
        bool lower = true,
        bool upper = true,
        bool numeric = true,
        bool special = true,
        int minLower = 0,
        int minUpper = 0,
        int minNumeric = 0,
        int minSpecial = 0)
        => CreateGeneratedParameter(builder, name, secret: true, new GenerateParameterDefault
        {
            MinLength = DefaultPasswordLength,
            Lower = lower,
            Upper = upper,
            Numeric = numeric,
            Special = special,
            MinLower = minLower,
            MinUpper = minUpper,
            MinNumeric = minNumeric,
            MinSpecial = minSpecial,
        });

    /// <summary>Makes a parameter that is generated at the first run and kept in the user secrets.</summary>
    public static ParameterResource CreateGeneratedParameter(
        IDistributedApplicationBuilder builder,
        string name,
        bool secret,
        GenerateParameterDefault parameterDefault)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return Create(builder, name, secret, new UserSecretsParameterDefault(name, parameterDefault, builder.UserSecretsManager));
    }

    /// <summary>Makes a parameter that is read from <c>Parameters:NAME</c>.</summary>
    public static ParameterResource CreateParameter(IDistributedApplicationBuilder builder, string name, bool secret)
        => Create(builder, name, secret, parameterDefault: null);

    // About 128 bits with letters and digits.
    private const int DefaultPasswordLength = 22;

    private static ParameterResource Create(IDistributedApplicationBuilder builder, string name, bool secret, ParameterDefault? parameterDefault)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return new ParameterResource(name, fallback => Read(builder, name, $"Parameters:{name}", fallback), secret) { Default = parameterDefault };
    }

    private static string Read(IDistributedApplicationBuilder builder, string name, string key, ParameterDefault? fallback)
        => builder.Configuration[key]
            // Environment variables cannot hold hyphens everywhere: Parameters__my_password sets my-password.
            ?? builder.Configuration[key.Replace('-', '_')]
            ?? fallback?.GetDefaultValue()
            ?? throw new MissingParameterValueException($"The parameter '{name}' has no value: set {key}.");
}
