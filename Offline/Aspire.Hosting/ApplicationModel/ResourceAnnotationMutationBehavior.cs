namespace Aspire.Hosting.ApplicationModel;

/// <summary>What to do when an annotation of the same type exists already.</summary>
public enum ResourceAnnotationMutationBehavior
{
    /// <summary>Keep both.</summary>
    Append = 0,

    /// <summary>Remove the earlier ones.</summary>
    Replace = 1,
}
