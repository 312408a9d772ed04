namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value from outside the graph, read from the configuration key <c>Parameters:NAME</c>.</summary>
public class ParameterResource : Resource, IExpressionValue
{
    private readonly Lazy<string> _value;

    /// <summary>Creates the parameter.</summary>
    /// <param name="name">The name.</param>
    /// <param name="callback">Gets the value, given the default; called once.</param>
    /// <param name="secret">Whether the dashboard masks it.</param>
    public ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret = false)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(callback);
        _value = new Lazy<string>(() => callback(Default));
        Secret = secret;
    }

    /// <summary>Whether the dashboard masks it.</summary>
    public bool Secret { get; }

    /// <summary>What it is when the configuration has no value.</summary>
    public ParameterDefault? Default { get; set; }

    /// <summary>What it is for.</summary>
    public string? Description { get; set; }

    /// <summary>Whether the description is Markdown.</summary>
    public bool EnableDescriptionMarkdown { get; set; }

    /// <summary>Whether it is a connection string, read from <c>ConnectionStrings:NAME</c>.</summary>
    public bool IsConnectionString { get; set; }

    /// <summary>The value.</summary>
    /// <exception cref="MissingParameterValueException">There is none.</exception>
    internal string ResolvedValue => _value.Value;

    /// <inheritdoc />
    public string ValueExpression => IsConnectionString ? $"{{{Name}.connectionString}}" : $"{{{Name}.value}}";

    /// <summary>Gets the value.</summary>
    /// <exception cref="MissingParameterValueException">There is none.</exception>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken) => new(ResolvedValue);

    /// <summary>Gets the value.</summary>
    /// <exception cref="MissingParameterValueException">There is none.</exception>
#pragma warning disable CA1725 // the official name of the parameter
    public ValueTask<string?> GetValueAsync(ValueProviderContext _, CancellationToken cancellationToken) => new(ResolvedValue);
#pragma warning restore CA1725
}
