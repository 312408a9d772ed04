namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a parameter is when the configuration has no value for it.</summary>
public abstract class ParameterDefault
{
    /// <summary>Gets the value.</summary>
    public abstract string GetDefaultValue();
}
