package lab.recall.study;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says what a component of a request means: for the command's help, and for the table of fields in {@code environment/requests.md}.
 *
 * <pre>{@code
 * public record TraceRequest(@Asks("How many pairs of facts at most") Integer pairs, ..
 * }</pre>
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Asks {
    /** What it means, in words; the default is added where the constructor has one. */
    String value();

    /** What stands for it when it is not given, in words, where that follows from the model or another field. */
    String otherwise() default "";

    /** The option, where it is not the field's name; {@code -} for none. */
    String option() default "";

    /** The words of a field with few. */
    String[] words() default {};
}
